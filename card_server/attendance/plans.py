"""What a day was for a homeroom, kept when it begins, and by that every day is judged.

Calendar and timetables may change afterwards: a kept plan stays. Whoever needs one that is not kept
yet makes it; two who do so at once keep the same.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.attendance.facts import (
    DayPlan,
    Finding,
    SessionPlan,
    SessionResult,
    StudentDay,
)
from card_server.calendar.reading import plans_between
from card_server.calendar.rules import rules_for
from card_server.school_time import day_of
from card_server.storage.bulk import Write, fetch, insert_missing, write_all
from schema.tables.attendance import DayPlanRow, Deadline, SessionStatus
from schema.tables.calendar import DayKind, DayPart, Timetable
from schema.tables.school import Homeroom, School

CLOSING: Final = 0
"""The deadline's position that is no session: the hour at which the school closes."""
JUDGED_BACK: Final = timedelta(days=7)
"""How old a day may be to get deadlines when its plan is made: an outage, and not an import."""
_MOST_KEPT = 5_000
"""Of a school: some months of days; an imported log of years goes through them in its order."""
_MINUTES = 24 * 60
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(DayPlan)


class SchoolDays(Struct, frozen=True):
    """What judging days needs of a school."""

    id: int
    zone: ZoneInfo
    double_tap_s: int
    late_after: int
    """Minute of the day, for a school without a timetable."""
    version: int
    """The school's `register_version`, with which kept plans are forgotten."""


class PlanKey(Struct, frozen=True, gc=False, order=True):
    """A homeroom's day."""

    school_id: int
    day: date
    homeroom_id: int


class DeadlineRow(Struct, gc=False):
    """A new row of `deadline`."""

    school_id: int
    day: date
    homeroom_id: int
    position: int
    due_at: datetime


class _PlanRow(Struct, gc=False):
    school_id: int
    day: date
    homeroom_id: int
    plan: str
    made_at: datetime


class _Kept(Struct, gc=False):
    school_id: int
    day: date
    homeroom_id: int
    plan: str


Plans = dict[PlanKey, DayPlan]
Schools = Mapping[int, SchoolDays]


def read_school(session: Session, school_id: int) -> SchoolDays:
    """A school as the judging of its days wants it."""
    row = session.get_one(School, school_id)
    hours, minutes = row.late_after.split(":")
    return SchoolDays(
        row.id,
        ZoneInfo(row.zone),
        row.double_tap_s,
        int(hours) * 60 + int(minutes),
        row.register_version,
    )


def plan_without_timetable(late_after: int, closes: int) -> DayPlan:
    """A school that has not set up a timetable: who comes after one time is late, every day.

    Its session ends with the day, so that nobody is ever absent; `forget_its_end` does the rest.
    """
    session = SessionPlan(
        position=1,
        name="",
        part=DayPart.MORNING,
        arrive_from=0,
        late_after=late_after,
        absent_after=_MINUTES,
        leave_from=_MINUTES,
        ends=_MINUTES,
        expects_exit=False,
    )
    return DayPlan(DayKind.LESSONS, (session,), closes=closes)


def is_without_timetable(plan: DayPlan) -> bool:
    """Whether a plan is that of `plan_without_timetable`; no timetable's session ends so late."""
    return bool(plan.sessions) and plan.sessions[0].absent_after == _MINUTES


def forget_its_end(judged: StudentDay) -> StudentDay:
    """A day by such a plan: nobody leaves early, and out and in again is no finding."""
    if any(one.early_minutes for one in judged.sessions):
        judged = replace(judged, sessions=tuple(map(_without_end, judged.sessions)))
    if Finding.LEFT_AND_BACK in judged.findings:
        others = (one for one in judged.findings if one is not Finding.LEFT_AND_BACK)
        judged = replace(judged, findings=tuple(others))
    return judged


def _without_end(result: SessionResult) -> SessionResult:
    if result.is_corrected:
        return result
    is_early = result.status is SessionStatus.LEFT_EARLY
    status = SessionStatus.PRESENT if is_early else result.status
    return replace(result, status=status, early_minutes=0)


def kept_plans(
    session: Session, schools: Schools, keys: Collection[PlanKey], now: datetime
) -> Plans:
    """The plans of these days, kept before or now; each process asks once for each.

    What is not kept yet is kept in a transaction of its own: the session must have nothing to
    commit, and no locks.
    """
    cache = _cache_of(session)
    plans, missing = cache.look(schools, keys)
    if missing:
        wanted = _with_all_of_today(session, schools, missing, now)
        found = read_kept(session, wanted)
        unknown = [key for key in wanted if key not in found]
        if unknown:
            session.rollback()
            keep_plans(session, schools, unknown, now)
            session.commit()
            found |= read_kept(session, unknown)
        outdated = _outdated(schools, found, now)
        if outdated:
            session.rollback()
            replace_plans(session, outdated, now)
            session.commit()
        found |= outdated
        cache.keep(schools, found)
        plans |= {key: found[key] for key in missing if key in found}
    return plans


def _with_all_of_today(
    session: Session, schools: Schools, keys: Collection[PlanKey], now: datetime
) -> list[PlanKey]:
    """These days, and where one is today, that of every homeroom of the school.

    A morning's taps come from one homeroom after the other: each would ask again.
    """
    today = {
        key.school_id: key.day
        for key in keys
        if key.day == day_of(now, schools[key.school_id].zone)
    }
    if not today:
        return list(keys)
    rooms = select(Homeroom.school_id, Homeroom.id).where(
        Homeroom.school_id.in_(today), Homeroom.is_past.is_(False)
    )
    others = [PlanKey(one, today[one], room) for one, room in session.execute(rooms)]
    return list({*keys, *others})


def _outdated(schools: Schools, plans: Plans, now: datetime) -> Plans:
    """A school without a timetable may change its one time by day: what today is from now on."""
    changed: Plans = {}
    for key, plan in plans.items():
        school = schools[key.school_id]
        if not is_without_timetable(plan) or plan.sessions[0].late_after == school.late_after:
            continue
        if key.day >= day_of(now, school.zone):
            changed[key] = plan_without_timetable(school.late_after, plan.closes)
    return changed


def find_plans(session: Session, schools: Schools, keys: Collection[PlanKey]) -> Plans:
    """The kept plans; for days without one, what calendar and timetables say now. Keeps nothing."""
    found = read_kept(session, keys)
    return found | plans_now(session, schools, [key for key in keys if key not in found])


def plans_now(session: Session, schools: Schools, keys: Iterable[PlanKey]) -> Plans:
    """What calendar and timetables say now, whatever was kept."""
    by_school: dict[int, list[PlanKey]] = {}
    for key in keys:
        by_school.setdefault(key.school_id, []).append(key)
    plans: Plans = {}
    for school_id, wanted in by_school.items():
        plans |= _plans_of(session, schools[school_id], wanted)
    return plans


def _plans_of(session: Session, school: SchoolDays, keys: list[PlanKey]) -> Plans:
    has_timetable = select(Timetable.id).where(
        Timetable.school_id == school.id, Timetable.ended_at.is_(None)
    )
    if session.scalar(has_timetable.limit(1)) is None:
        plan = plan_without_timetable(school.late_after, rules_for(session, school.id).closes)
        return dict.fromkeys(keys, plan)
    days = sorted({key.day for key in keys})
    rooms = {key.homeroom_id for key in keys}
    found: dict[date, dict[int, DayPlan]] = {}
    for first, last in _runs(days):
        found |= plans_between(session, school.id, first, last, rooms)
    return {
        key: found[key.day][key.homeroom_id] for key in keys if key.homeroom_id in found[key.day]
    }


def _runs(days: list[date]) -> list[tuple[date, date]]:
    """Stretches of days that lie near each other; a late tap of last year stands alone."""
    runs = [(days[0], days[0])]
    for day in days[1:]:
        if day - runs[-1][1] <= JUDGED_BACK:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def keep_plans(session: Session, schools: Schools, keys: Iterable[PlanKey], now: datetime) -> None:
    """Keep what these days are by calendar and timetables of now, unless it is kept already.

    Days of the last week and to come get their deadlines with it.
    """
    wanted = sorted(set(keys))
    plans = plans_now(session, schools, wanted)
    rows = [
        _PlanRow(key.school_id, key.day, key.homeroom_id, _write(plans[key]), now)
        for key in wanted
        if key in plans
    ]
    insert_missing(session, DayPlanRow, rows)
    deadlines = [
        row
        for key in wanted
        if key in plans and is_recent(key.day, schools[key.school_id], now)
        for row in deadlines_of(key, plans[key], schools[key.school_id].zone)
    ]
    insert_missing(session, Deadline, deadlines)


def replace_plans(session: Session, plans: Plans, now: datetime) -> None:
    """Keep these plans in the place of others."""
    rows = [
        _PlanRow(key.school_id, key.day, key.homeroom_id, _write(plans[key]), now)
        for key in sorted(plans)
    ]
    changes = "plan = excluded.plan, made_at = excluded.made_at"
    write_all(session, [Write(DayPlanRow, rows, changes)])


def is_recent(day: date, school: SchoolDays, now: datetime) -> bool:
    """Whether a day is judged when its time comes, and not only when taps of it appear."""
    return day >= day_of(now, school.zone) - JUDGED_BACK


def deadlines_of(key: PlanKey, plan: DayPlan, zone: ZoneInfo) -> list[DeadlineRow]:
    """When each session can be judged, and when the school closes."""
    due = {one.position: one.absent_after + 1 for one in plan.sessions}
    return [
        DeadlineRow(key.school_id, key.day, key.homeroom_id, position, moment_of(key.day, at, zone))
        for position, at in {CLOSING: plan.closes, **due}.items()
        if at <= _MINUTES
    ]


@lru_cache(maxsize=4_096)
def moment_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which a clock on the school's wall shows a minute of the day."""
    midnight = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001
    return midnight.replace(tzinfo=zone).astimezone(UTC)


def is_judged_from(key: PlanKey, plan: DayPlan, zone: ZoneInfo) -> datetime | None:
    """The first moment at which somebody may be absent; None where nobody ever is."""
    if is_without_timetable(plan):
        return None
    asked = [one.absent_after for one in plan.sessions if one.is_for_day_students or one.is_return]
    return moment_of(key.day, min(asked) + 1, zone) if asked else None


def _write(plan: DayPlan) -> str:
    return _ENCODER.encode(plan).decode()


def read_kept(session: Session, keys: Collection[PlanKey]) -> Plans:
    """The plans that were kept; equal ones are one object: a school has few, homerooms many."""
    same: dict[str, DayPlan] = {}
    plans: Plans = {}
    for row in fetch(session, DayPlanRow, list(keys), _Kept):
        plan = same.get(row.plan)
        if plan is None:
            plan = same[row.plan] = _DECODER.decode(row.plan)
        plans[PlanKey(row.school_id, row.day, row.homeroom_id)] = plan
    return plans


class _PlanCache:
    """The kept plans that this process knows of one database, by school and its version."""

    def __init__(self) -> None:
        self._schools: dict[int, tuple[int, Plans]] = {}

    def look(self, schools: Schools, keys: Iterable[PlanKey]) -> tuple[Plans, list[PlanKey]]:
        """Those that are known, and the keys of the others."""
        plans: Plans = {}
        missing = []
        for key in keys:
            version, known = self._schools.get(key.school_id, (None, {}))
            plan = known.get(key) if version == schools[key.school_id].version else None
            if plan is None:
                missing.append(key)
            else:
                plans[key] = plan
        return plans, missing

    def keep(self, schools: Schools, plans: Plans) -> None:
        """Know these from now on; what was known of an older version of the school is forgotten."""
        for key, plan in plans.items():
            version = schools[key.school_id].version
            known = self._schools.get(key.school_id)
            if known is None or known[0] != version or len(known[1]) >= _MOST_KEPT:
                known = self._schools[key.school_id] = (version, {})
            known[1][key] = plan


_CACHES: WeakKeyDictionary[Engine, _PlanCache] = WeakKeyDictionary()


def _cache_of(session: Session) -> _PlanCache:
    engine = session.get_bind().engine
    cache = _CACHES.get(engine)
    if cache is None:
        cache = _CACHES[engine] = _PlanCache()
    return cache
