"""A change counts for days that nobody judged, and never for the others."""

from datetime import UTC, date, datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import SYSTEM
from card_server.calendar.entries import read_settings, say
from card_server.calendar.kept import days_affected, is_kept
from card_server.calendar.reading import plans_for
from schema.tables.attendance import DayPlanRow, Deadline
from tests.card_server.calendar.conftest import TODAY, DatedSchool, date_school
from tests.card_server.people.people_school import make_people_school

_YESTERDAY, _TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
_SNOW = {"day": str(TODAY), "kind": "closed", "note": "暴雪停课"}
_NOW = datetime(2025, 9, 24, 3, tzinfo=UTC)


def keep(session: Session, school: DatedSchool, day: date, *, is_judged: bool = False) -> None:
    """Write a day down as its first moment does, with a deadline for each homeroom."""
    for homeroom_id, plan in plans_for(session, school.id, day, school.homerooms).items():
        encoded = msgspec.json.encode(plan).decode()
        key = {"school_id": school.id, "day": day, "homeroom_id": homeroom_id}
        session.add(DayPlanRow(**key, plan=encoded, made_at=_NOW))
        session.add(Deadline(**key, position=1, due_at=_NOW, judged_at=_NOW if is_judged else None))
    session.flush()


def kept_days(session: Session, table: type[DayPlanRow] | type[Deadline]) -> set[date]:
    return set(session.scalars(select(table.day)))


def test_a_snow_day_said_in_the_morning_counts(opened: Session, dated: DatedSchool) -> None:
    other = date_school(opened, make_people_school(opened, "no2"))
    keep(opened, dated, _YESTERDAY)
    keep(opened, dated, TODAY)
    keep(opened, other, TODAY)
    assert say(opened, SYSTEM, dated.id, read_settings(_SNOW), TODAY).stays == []
    assert not is_kept(opened, dated.id, TODAY)
    assert is_kept(opened, dated.id, _YESTERDAY)
    assert is_kept(opened, other.id, TODAY)
    wanted = select(Deadline.day).where(Deadline.school_id == dated.id).distinct()
    assert list(opened.scalars(wanted)) == [_YESTERDAY]


def test_what_is_judged_stays_and_is_named(opened: Session, dated: DatedSchool) -> None:
    keep(opened, dated, TODAY, is_judged=True)
    keep(opened, dated, _TOMORROW)
    assert say(opened, SYSTEM, dated.id, read_settings(_SNOW), TODAY).stays == [TODAY]
    assert kept_days(opened, DayPlanRow) == kept_days(opened, Deadline) == {TODAY}


def test_who_recomputes_is_told_what_would_be_another_day(
    opened: Session, dated: DatedSchool
) -> None:
    assert days_affected(opened, dated.id, _YESTERDAY, TODAY) == []
    keep(opened, dated, _YESTERDAY, is_judged=True)
    keep(opened, dated, TODAY)
    typed = {"day": str(_YESTERDAY), "kind": "closed", "grades": "9"}
    say(opened, SYSTEM, dated.id, read_settings(typed), TODAY + timedelta(days=1))
    found = days_affected(opened, dated.id, _YESTERDAY, TODAY)
    assert [(one.day, one.homeroom_ids, one.is_judged) for one in found] == [
        (_YESTERDAY, (dated.homerooms[2],), True),
        (TODAY, (), False),
    ]
