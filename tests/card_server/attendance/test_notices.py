"""What guardians are told of the gate and of absence: once, what is so, and nothing that is not."""

import tempfile
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from card_server.attendance.correcting import Doing, Mark, correct
from card_server.attendance.refold import refold
from card_server.audit.writing import SYSTEM
from card_server.storage.database import open_engine, open_sessions
from card_server.taps.record import ReceivedTap
from schema.tables.attendance import SessionStatus
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.messages import Message, MessageKind, MessageState, Suppression
from schema.tables.people import Guardian, Guardianship, Language
from schema.tables.school import School
from schema.tables.taps import Effect, Tap
from tests.card_server.attendance.judged_school import (
    MONDAY,
    ZONE,
    JudgedSchool,
    at,
    sessions_of,
)

ABSENCE, ARRIVAL, ARRIVED = MessageKind.ABSENCE, MessageKind.ARRIVAL, MessageKind.ARRIVED
DEPARTURE, LATE = MessageKind.DEPARTURE, MessageKind.LATE
QUEUED, SUPPRESSED = MessageState.QUEUED, MessageState.SUPPRESSED


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    made = JudgedSchool(open_sessions(engine), boarders=[3])
    made.tick(at(MONDAY, "00:01"))
    return made


def messages(school: JudgedSchool, student: int = 1) -> list[Message]:
    found = [one for one in school.rows(Message) if one.student_id == student]
    return sorted(found, key=lambda one: (one.created_at, one.id))


def states(
    school: JudgedSchool, student: int = 1
) -> list[tuple[MessageKind, MessageState, Suppression | None]]:
    return [(one.kind, one.state, one.suppression) for one in messages(school, student)]


def slots(message: Message) -> Mapping[str, str]:
    return dict(msgspec.json.decode(message.slots, type=list[tuple[str, str]]))


def judge(school: JudgedSchool, clock: str = "08:31", day: date = MONDAY) -> None:
    """Every gate has reported, and the deadlines that are due are judged."""
    school.report(at(day, clock))
    school.tick(at(day, clock))


def hand_over(school: JudgedSchool, state: MessageState = MessageState.ACCEPTED) -> None:
    with school.sessions.begin() as session:
        session.execute(update(Message).where(Message.state == QUEUED).values(state=state))


def want(school: JudgedSchool, kinds: Collection[MessageKind], student: int = 1) -> None:
    with school.sessions.begin() as session:
        session.get_one(Guardianship, (student, student)).wanted = " ".join(kinds)


def test_who_is_late_is_told_as_late_and_not_also_as_arrived(school: JudgedSchool) -> None:
    school.record([school.pass_gate(1, MONDAY, "08:10"), school.pass_gate(2, MONDAY, "07:50")])
    [late], [arrival] = messages(school, 1), messages(school, 2)
    assert (late.kind, late.state, slots(late)["minutes"]) == (LATE, QUEUED, "10")
    assert (arrival.kind, arrival.state) == (ARRIVAL, QUEUED)
    assert late.about_at == at(MONDAY, "08:10")
    assert late.expires_at == at(MONDAY, "08:40")


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([ARRIVAL], [ARRIVAL]),
        ([LATE], [LATE]),
        ([ARRIVAL, LATE], [LATE]),
        ([DEPARTURE], []),
        ([], []),
    ],
)
def test_a_late_arrival_is_told_as_what_is_wanted(
    school: JudgedSchool, wanted: list[MessageKind], told: list[MessageKind]
) -> None:
    want(school, wanted)
    school.record([school.pass_gate(1, MONDAY, "08:10")])
    assert [one.kind for one in messages(school)] == told


def test_coming_back_within_a_session_is_no_late_arrival(school: JudgedSchool) -> None:
    school.record(
        [
            school.pass_gate(1, MONDAY, "07:50"),
            school.pass_gate(1, MONDAY, "09:00", "gate-out"),
            school.pass_gate(1, MONDAY, "09:20"),
        ]
    )
    assert [one.kind for one in messages(school)] == [ARRIVAL, DEPARTURE, ARRIVAL]


def test_an_earlier_tap_mends_a_late_message_that_waits(school: JudgedSchool) -> None:
    early, late = school.pass_gate(1, MONDAY, "07:50"), school.pass_gate(1, MONDAY, "08:10")
    school.record([late])
    school.record([early])
    found = {one.tap_id: (one.kind, one.state, set(slots(one))) for one in messages(school)}
    assert found == {
        early.id: (ARRIVAL, QUEUED, {"student", "time"}),
        late.id: (ARRIVAL, QUEUED, {"student", "time"}),
    }


def test_an_earlier_tap_takes_a_late_message_back_from_who_wants_only_those(
    school: JudgedSchool,
) -> None:
    want(school, [LATE])
    late = school.pass_gate(1, MONDAY, "08:10")
    school.record([late])
    school.record([school.pass_gate(1, MONDAY, "07:50")])
    assert states(school) == [(LATE, SUPPRESSED, Suppression.WITHDRAWN)]


def test_what_was_handed_over_as_late_stays(school: JudgedSchool) -> None:
    late = school.pass_gate(1, MONDAY, "08:10")
    school.record([late])
    hand_over(school)
    school.record([school.pass_gate(1, MONDAY, "07:50")])
    of_tap = [(one.kind, one.state) for one in messages(school) if one.tap_id == late.id]
    assert of_tap == [(LATE, MessageState.ACCEPTED)]


def test_an_absence_is_told_once_when_it_is_judged(school: JudgedSchool) -> None:
    judge(school)
    [told] = messages(school)
    assert (told.kind, told.state, told.tap_id) == (ABSENCE, QUEUED, None)
    assert told.about_at == at(MONDAY, "08:31")
    assert slots(told) == {
        "student": "学一",
        "date": "9月7日",
        "session": "上午",
        "time": "08:31",
    }
    judge(school, "08:45")
    judge(school, "09:15")
    assert len(messages(school)) == 1
    judge(school, "14:31")
    assert [one.kind for one in messages(school)] == [ABSENCE, ABSENCE]


def test_a_text_speaks_the_guardians_language(school: JudgedSchool) -> None:
    with school.sessions.begin() as session:
        session.execute(update(Guardian).values(language=Language.ENGLISH))
    judge(school)
    [told] = messages(school)
    assert (told.language, slots(told)["date"]) == (Language.ENGLISH, "7 Sep")
    assert slots(told)["session"] == "morning"


def test_boarders_and_who_came_are_not_told_as_absent(school: JudgedSchool) -> None:
    school.record([school.pass_gate(2, MONDAY, "07:50")])
    judge(school)
    assert [one.kind for one in messages(school, 2)] == [ARRIVAL]
    assert messages(school, 3) == []


def test_a_gate_in_the_dark_lets_nobody_be_told(school: JudgedSchool) -> None:
    school.report(at(MONDAY, "08:40"), "gate-in", "gate")
    school.report(at(MONDAY, "08:00"), "gate-out")
    school.tick(at(MONDAY, "08:45"))
    assert messages(school) == []


def test_an_absence_that_is_known_only_after_the_session_is_stale(school: JudgedSchool) -> None:
    judge(school, "12:30")
    assert states(school) == [(ABSENCE, SUPPRESSED, Suppression.STALE)]


def test_yesterdays_absence_is_not_told(school: JudgedSchool) -> None:
    tuesday = MONDAY + timedelta(days=1)
    judge(school, "07:00", tuesday)
    assert messages(school) == []


def test_an_absence_that_waits_is_withdrawn_when_the_child_comes(school: JudgedSchool) -> None:
    judge(school)
    school.record([school.pass_gate(1, MONDAY, "08:41")])
    assert states(school) == [
        (ABSENCE, SUPPRESSED, Suppression.WITHDRAWN),
        (LATE, QUEUED, None),
    ]


@pytest.mark.parametrize(
    "state",
    [
        MessageState.SENDING,
        MessageState.ACCEPTED,
        MessageState.DELIVERED,
        MessageState.UNKNOWN,
    ],
)
def test_who_was_told_of_an_absence_is_told_of_the_arrival_once(
    school: JudgedSchool, state: MessageState
) -> None:
    judge(school)
    hand_over(school, state)
    school.record([school.pass_gate(1, MONDAY, "08:41")])
    absence, arrived = messages(school)
    assert (absence.kind, absence.state) == (ABSENCE, state)
    assert (arrived.kind, arrived.state, slots(arrived)["time"]) == (ARRIVED, QUEUED, "08:41")
    school.record([school.pass_gate(1, MONDAY, "09:10", "gate-out")])
    school.record([school.pass_gate(1, MONDAY, "09:40")])
    assert [one.kind for one in messages(school)] == [ABSENCE, ARRIVED, DEPARTURE, ARRIVAL]


@pytest.mark.parametrize("state", [MessageState.FAILED, MessageState.UNDELIVERED])
def test_who_never_got_the_absence_is_told_plainly(
    school: JudgedSchool, state: MessageState
) -> None:
    judge(school)
    hand_over(school, state)
    school.record([school.pass_gate(1, MONDAY, "08:41")])
    assert [one.kind for one in messages(school)] == [ABSENCE, LATE]


def test_a_false_alarm_is_ended_however_late_the_tap_is_known(school: JudgedSchool) -> None:
    judge(school)
    hand_over(school)
    late_news = school.pass_gate(1, MONDAY, "07:50", received_at=at(MONDAY, "09:30"))
    school.record([late_news])
    arrived = messages(school)[-1]
    assert (arrived.kind, arrived.state, slots(arrived)["time"]) == (ARRIVED, QUEUED, "07:50")
    assert arrived.expires_at == at(MONDAY, "10:00")


def test_only_those_who_were_told_of_the_absence_are_told_that_it_is_over(
    school: JudgedSchool,
) -> None:
    with school.sessions.begin() as session:
        session.add(Guardianship(student_id=1, guardian_id=2, relation="父亲", wanted="arrival"))
    judge(school)
    hand_over(school)
    school.record([school.pass_gate(1, MONDAY, "08:41")])
    told = {one.guardian_id: one.kind for one in messages(school) if one.tap_id}
    assert told == {1: ARRIVED, 2: ARRIVAL}


def test_who_wants_absences_alone_hears_that_the_child_has_come(school: JudgedSchool) -> None:
    want(school, [ABSENCE])
    judge(school)
    hand_over(school)
    school.record([school.pass_gate(1, MONDAY, "08:41")])
    assert [one.kind for one in messages(school)] == [ABSENCE, ARRIVED]


def test_a_tap_whose_clock_is_wrong_withdraws_and_tells_nothing(school: JudgedSchool) -> None:
    judge(school)
    school.record([school.pass_gate(1, MONDAY, "08:41", clock_suspect=True)])
    assert states(school) == [
        (ABSENCE, SUPPRESSED, Suppression.WITHDRAWN),
        (ARRIVAL, SUPPRESSED, Suppression.CLOCK_SUSPECT),
    ]


def test_an_earlier_tap_that_takes_the_arrivals_place_still_ends_the_worry(
    school: JudgedSchool,
) -> None:
    judge(school)
    hand_over(school)
    later = school.pass_gate(1, MONDAY, "08:41")
    earlier = school.pass_gate(1, MONDAY, "08:40", received_at=at(MONDAY, "08:42"))
    school.record([later])
    school.record([earlier])
    found = {one.tap_id: (one.kind, one.state) for one in messages(school)[1:]}
    assert found == {later.id: (ARRIVED, SUPPRESSED), earlier.id: (ARRIVED, QUEUED)}


def test_a_second_session_is_told_beside_the_first(school: JudgedSchool) -> None:
    judge(school)
    hand_over(school)
    school.record([school.pass_gate(1, MONDAY, "08:41")])
    school.record([school.pass_gate(1, MONDAY, "12:05", "gate-out")])
    judge(school, "14:31")
    hand_over(school)
    school.record([school.pass_gate(1, MONDAY, "14:50")])
    kinds = Counter(one.kind for one in messages(school))
    assert kinds == {ABSENCE: 2, ARRIVED: 2, DEPARTURE: 1}


def test_a_correction_takes_back_an_absence_that_waits(school: JudgedSchool) -> None:
    judge(school)
    with school.sessions.begin() as session:
        doing = Doing(SYSTEM, school.school_id, ZONE, at(MONDAY, "08:35"), is_school=True)
        correct(session, doing, 1, MONDAY, Mark(1, SessionStatus.PRESENT, None, "没带卡"))
    assert states(school) == [(ABSENCE, SUPPRESSED, Suppression.WITHDRAWN)]


def test_approved_leave_takes_back_an_absence_that_waits(school: JudgedSchool) -> None:
    judge(school)
    with school.sessions.begin() as session:
        session.add(
            LeaveSlip(
                school_id=school.school_id,
                student_id=1,
                kind=LeaveKind.SICK,
                from_at=at(MONDAY, "07:00"),
                until_at=at(MONDAY, "18:00"),
                needs_school=False,
                reason_sealed=b"",
                state=LeaveState.APPROVED,
                asked_by="母亲",
                asked_at=at(MONDAY, "08:35"),
            )
        )
        refold(session, school.school_id, 1, MONDAY, MONDAY, at(MONDAY, "08:36"))
    assert states(school) == [(ABSENCE, SUPPRESSED, Suppression.WITHDRAWN)]


def test_a_correction_to_absent_tells_nobody(school: JudgedSchool) -> None:
    school.record([school.pass_gate(1, MONDAY, "07:50")])
    with school.sessions.begin() as session:
        doing = Doing(SYSTEM, school.school_id, ZONE, at(MONDAY, "09:00"), is_school=True)
        correct(session, doing, 1, MONDAY, Mark(1, SessionStatus.ABSENT, None, "代刷卡"))
    assert [one.kind for one in messages(school)] == [ARRIVAL]


def test_judging_the_day_anew_tells_nothing_again(school: JudgedSchool) -> None:
    judge(school)
    before = states(school)
    with school.sessions.begin() as session:
        refold(session, school.school_id, [1, 2], MONDAY, MONDAY, at(MONDAY, "08:40"))
    assert states(school) == before


_CLOCKS = ("07:40", "07:59", "08:05", "08:20", "08:41", "09:30", "12:04", "14:10", "14:45")
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("tap"), st.sampled_from(_CLOCKS), st.sampled_from(["gate-in", "gate"])),
        st.tuples(st.just("tap"), st.sampled_from(_CLOCKS), st.just("gate-out")),
        st.tuples(st.just("again"), st.integers(0, 9), st.just("")),
        st.tuples(
            st.just("judge"), st.sampled_from(["08:31", "09:10", "14:31", "15:00"]), st.just("")
        ),
        st.tuples(
            st.just("send"), st.sampled_from(["accepted", "unknown", "sending"]), st.just("")
        ),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_steps)
def test_whatever_comes_in_whatever_order_nothing_is_told_twice_and_nothing_wrong_waits(
    sqlite_template: Path, steps: list[tuple[str, Any, str]]
) -> None:
    school = _fresh_school(sqlite_template)
    taps: list[ReceivedTap] = []
    for step, what, reader in steps:
        if step == "tap":
            taps.append(school.pass_gate(1, MONDAY, what, reader, received_at=at(MONDAY, "15:05")))
            school.record(taps[-1:])
        elif step == "again" and taps:
            school.record([taps[what % len(taps)]])
        elif step == "judge":
            judge(school, what)
        elif step == "send":
            hand_over(school, MessageState(what))
        _nothing_is_told_twice(school)
        _nothing_wrong_waits(school)


def _fresh_school(template: Path) -> JudgedSchool:
    path = Path(tempfile.mkdtemp(dir=template.parent)) / "campus.db"
    path.write_bytes(template.read_bytes())
    made = JudgedSchool(open_sessions(open_engine(f"sqlite:///{path}")), students=1)
    with made.sessions.begin() as session:
        session.execute(update(School).values(stale_minutes=24 * 60))
    made.tick(at(MONDAY, "00:01"))
    return made


def _live(school: JudgedSchool) -> list[Message]:
    return [one for one in messages(school) if one.state is not SUPPRESSED]


def _nothing_is_told_twice(school: JudgedSchool) -> None:
    live = _live(school)
    taps = Counter((one.tap_id, one.kind is DEPARTURE) for one in live if one.tap_id)
    absences = Counter(one.about_at for one in live if one.kind is ABSENCE)
    assert all(times == 1 for times in [*taps.values(), *absences.values()])
    ends = [one for one in live if one.kind is ARRIVED]
    assert len(ends) <= sum(absences.values())


def _nothing_wrong_waits(school: JudgedSchool) -> None:
    waiting = [one for one in _live(school) if one.state is QUEUED]
    effects = {tap.id: tap.effect for tap in school.rows(Tap)}
    row = school.day(1)
    results = sessions_of(row) if row else []
    minutes = {one.late_minutes for one in results} - {0}
    for one in waiting:
        if one.kind is ABSENCE:
            position = {at(MONDAY, "08:31"): 1, at(MONDAY, "14:31"): 2}[one.about_at]  # type: ignore[index]
            [result] = [one for one in results if one.position == position]
            assert (result.status, result.late_minutes) == (SessionStatus.ABSENT, 0)
            continue
        assert one.tap_id is not None
        expected = Effect.DEPARTURE if one.kind is DEPARTURE else Effect.ARRIVAL
        assert effects[one.tap_id] is expected
        if one.kind is LATE:
            assert int(slots(one)["minutes"]) in minutes
