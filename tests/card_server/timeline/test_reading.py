"""The timeline: every source, merged by time, and pages that neither repeat nor hide anything."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from flask_babel import lazy_gettext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.scope import Grant, narrow
from card_server.timeline.days import DAYS
from card_server.timeline.protocol import Asking, Moment, Source
from card_server.timeline.reading import read_timeline
from card_server.timeline.registry import SOURCES
from card_server.words.cards import card_number
from schema.tables.attendance import SessionStatus
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Guardian, Guardianship, HomeroomStay, Student
from schema.tables.staff import Role, Scope
from tests.card_server.people.people_school import ZONE
from tests.card_server.personal.canary import NOTE, add_canary
from tests.card_server.personal.conftest import engine
from tests.card_server.web.odd_things import add_day
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap, make_school

__all__ = ["engine"]
START = datetime(2026, 9, 1, tzinfo=UTC)
MONDAY = date(2026, 9, 7)


def _source(name: str, minutes: list[int]) -> Source:
    def read(asking: Asking) -> list[Moment]:
        times = sorted({START + timedelta(minutes=one) for one in minutes}, reverse=True)
        wanted = [one for one in times if asking.before is None or one < asking.before]
        return [Moment(one, str(one), name) for one in wanted[: asking.limit]]

    return Source(name, lazy_gettext("Tap"), read)


@given(
    st.lists(st.lists(st.integers(0, 40), max_size=30), min_size=1, max_size=4), st.integers(1, 9)
)
def test_all_pages_together_hold_each_moment_once_in_order(
    minutes: list[list[int]], limit: int
) -> None:
    sources = [_source(str(place), one) for place, one in enumerate(minutes)]
    session: Session = None  # type: ignore[assignment]
    seen: list[tuple[datetime, str]] = []
    before: datetime | None = None
    while True:
        page = read_timeline(sources, Asking(session, 1, 1, ZONE, before, limit))
        seen += [(line.moment.at, line.source.name) for line in page.lines]
        if page.next_before is None:
            break
        assert before is None or page.next_before < before
        before = page.next_before
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)
    assert len(seen) == len(set(seen)) == sum(len(set(one)) for one in minutes)


def _ask(session: Session, school: SmallSchool, student: int, limit: int = 50) -> Asking:
    return Asking(session, school.id, school.students[student], ZONE, None, limit)


def test_everything_that_the_card_did_is_on_it(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        school = add_canary(session)
    with sessions() as session:
        page = read_timeline(SOURCES, _ask(session, school, 0))
        other = read_timeline(SOURCES, _ask(session, school, 1))
    names = [line.source.name for line in page.lines]
    assert set(names) >= {"taps", "messages", "cards", "registrations", "notes"}
    assert set(names) >= {"leave", "corrections", "passages"}
    assert NOTE in [line.moment.text for line in page.lines]
    assert {line.moment.text for line in page.lines if line.source.name == "cards"} == {
        card_number(school.uids[0])
    }
    assert other.lines == []


def _messages(session: Session, school: SmallSchool, student: int) -> list[Moment]:
    page = read_timeline(SOURCES, _ask(session, school, student))
    return [line.moment for line in page.lines if line.source.name == "messages"]


def test_a_message_says_who_was_told_what_and_what_became_of_it(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        school = make_school(session)
        for state in (MessageState.FAILED, MessageState.UNDELIVERED, MessageState.SUPPRESSED):
            add_message(session, school, 0, state)
        add_message(session, school, 0)
        session.get_one(Message, (school.id, school.messages[2])).suppression = Suppression.STALE
        guardian = session.get_one(Guardian, school.guardians[0])
        link = session.get_one(Guardianship, (school.students[0], guardian.id))
        told = f"{guardian.name} {link.relation}"
    with sessions() as session:
        accepted, suppressed, undelivered, failed = _messages(session, school, 0)
    assert accepted.text == "【第一中学】家长您好，张三已于07:32进入学校。"
    assert accepted.words == (MessageKind.ARRIVAL, MessageState.ACCEPTED)
    assert accepted.to == told
    assert suppressed.words[-1] is Suppression.STALE
    assert failed.reason == "30006: landline or unreachable"
    alarming = [one.is_alarm for one in (accepted, suppressed, undelivered, failed)]
    assert alarming == [False, False, True, True]


def test_a_message_stays_when_its_guardian_is_one_no_more(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        school = make_school(session)
        add_message(session, school, 0)
        guardian_id = school.guardians[0]
        name = session.get_one(Guardian, guardian_id).name
        session.delete(session.get_one(Guardianship, (school.students[0], guardian_id)))
    with sessions() as session:
        assert [one.to for one in _messages(session, school, 0)] == [name]


def test_a_teacher_reads_to_whom_the_messages_about_own_students_went(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        school = make_school(session)
        add_message(session, school, 0)
        add_message(session, school, 1)
    of_first = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
    with sessions() as session:
        narrow(session, school.id, [of_first])
        [own] = _messages(session, school, 0)
        assert own.to
        assert _messages(session, school, 1) == []


def _add_days(session: Session) -> SmallSchool:
    """The first student came late and went early, was away, and was there, on three days."""
    school = make_school(session)
    late = '{"position":1,"status":"late","late_minutes":8}'
    early = '{"position":2,"status":"left_early","early_minutes":20}'
    add_day(session, school, 0, MONDAY, late=1, left_early=1, sessions=f"[{late},{early}]")
    add_day(session, school, 0, MONDAY + timedelta(days=1), absent=2)
    add_day(session, school, 0, MONDAY + timedelta(days=2))
    add_day(session, school, 1, MONDAY, absent=1)
    return school


def test_a_day_that_was_anything_but_present_is_on_it(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        school = _add_days(session)
    with sessions() as session:
        page = read_timeline([DAYS], _ask(session, school, 0))
    away, late = (line.moment for line in page.lines)
    assert (away.key, away.words, away.is_alarm) == ("2026-09-08", (SessionStatus.ABSENT,), True)
    assert late.words == (SessionStatus.LATE, SessionStatus.LEFT_EARLY)
    assert late.text == "session 1: 8 min late, session 2: 20 min early"
    assert (late.at, late.is_day) == (datetime(2026, 9, 6, 16, tzinfo=UTC), True)


def test_days_before_a_time_and_of_an_earlier_homeroom_are_found(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        school = _add_days(session)
        moved_on = MONDAY + timedelta(days=9)
        for from_on, until_on, room in (
            (date(2026, 9, 1), moved_on, school.homerooms[0]),
            (moved_on, None, school.homerooms[1]),
        ):
            session.add(
                HomeroomStay(
                    school_id=school.id,
                    student_id=school.students[0],
                    homeroom_id=room,
                    from_on=from_on,
                    until_on=until_on,
                )
            )
        session.get_one(Student, school.students[0]).homeroom_id = school.homerooms[1]
    with sessions() as session:
        asking = _ask(session, school, 0)
        assert len(read_timeline([DAYS], asking).lines) == 2
        first = replace(asking, limit=1)
        page = read_timeline([DAYS], first)
        older = read_timeline([DAYS], replace(first, before=page.next_before))
    assert [line.moment.key for line in (*page.lines, *older.lines)] == ["2026-09-08", "2026-09-07"]
    assert older.next_before is None


def test_the_number_of_queries_does_not_grow(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        school = add_canary(session)
        for minute in range(40):
            add_tap(session, school, 1, at=START + timedelta(days=minute))
    statements: list[str] = []
    with sessions() as session:
        listen = lambda *args: statements.append(args[2])  # noqa: E731
        event.listen(session.get_bind(), "before_cursor_execute", listen)
        page = read_timeline(SOURCES, _ask(session, school, 1, limit=10))
        event.remove(session.get_bind(), "before_cursor_execute", listen)
    assert len(page.lines) == 10
    assert len([one for one in statements if one.startswith("SELECT")]) == len(SOURCES)
