"""What a day is for a homeroom: the state's calendar, rules that schools have published, hours."""

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from card_server.attendance.facts import DayPlan
from card_server.calendar.plan import (
    BOARDERS_NAME,
    BOARDERS_POSITION,
    Calendar,
    Entry,
    Hours,
    Room,
    TermDays,
    plan_day,
)
from card_server.calendar.state_days import StateKind, state_days
from card_server.reports.day_plans import is_school_day
from schema.tables.calendar import DayKind, DayPart, ForWhom
from tests.card_server.calendar.days import (
    AFTERNOON,
    EVENING,
    JUNIOR,
    MORNING,
    SCHOOL_YEAR,
    SENIOR,
    at,
    by_weekday,
    calendar,
    hours,
)
from tests.card_server.calendar.test_state_days import written

LESSONS, CLOSED, EXAM = DayKind.LESSONS, DayKind.CLOSED, DayKind.EXAM
ANNIVERSARY_EVE, SATURDAY = date(2024, 10, 25), date(2024, 10, 26)


def names(found: Calendar, day: date, room: Room = SENIOR) -> str:
    """The names of a day's sessions; what it is, where it has none."""
    plan = plan_day(found, day, room)
    return " ".join(one.name for one in plan.sessions) or plan.kind


@pytest.mark.parametrize("year", [2024, 2025])
def test_a_school_that_accepts_a_year_has_the_states_days(year: int) -> None:
    entries = [
        Entry(n, one.day, LESSONS if one.kind is StateKind.MAKE_UP else CLOSED, weekday=5)
        for n, one in enumerate(state_days(year), 1)
    ]
    found, notice = calendar(*entries), written(year)
    day = date(year, 1, 1)
    while day.year == year:
        plan = plan_day(found, day, SENIOR)
        is_open = notice[day] is StateKind.MAKE_UP if day in notice else day.isoweekday() < 6
        assert (plan.kind is LESSONS) == is_open, day
        assert bool(plan.sessions) == is_open
        assert not plan.is_unsure
        if day in notice and is_open:
            assert names(found, day) == "11点"
        day += timedelta(days=1)


@pytest.mark.parametrize("year", [2024, 2025])
def test_what_a_school_has_not_settled_is_decided_by_the_weekday_and_flagged(year: int) -> None:
    notice, day = written(year), date(year, 1, 1)
    while day.year == year:
        plan = plan_day(calendar(), day, SENIOR)
        assert (plan.kind is LESSONS) == (day.isoweekday() < 6), day
        assert plan.is_unsure == (day in notice), day
        day += timedelta(days=1)


def test_a_year_that_nobody_knows_yet_is_flagged_and_not_guessed() -> None:
    later = replace(calendar(), terms=(TermDays(date(2090, 9, 1), date(2091, 1, 20)),))
    monday, holiday = date(2090, 9, 4), date(2090, 10, 2)
    assert plan_day(later, monday, SENIOR).kind is LESSONS
    assert plan_day(later, monday, SENIOR).is_unsure
    assert plan_day(later, holiday, SENIOR).kind is LESSONS
    said = replace(later, entries=(Entry(1, holiday, CLOSED),))
    assert plan_day(said, holiday, SENIOR).kind is CLOSED
    assert not plan_day(said, holiday, SENIOR).is_unsure


PUBLISHED = [
    # 10月12日（周六）上周五的课
    ("12 October runs Friday's", [Entry(1, date(2024, 10, 12), LESSONS, weekday=5)],
     date(2024, 10, 12), "11点", "11点"),
    # 9月29日（周日）高三上周一的课，其他年级休息
    ("29 September, senior grades alone",
     [Entry(1, date(2024, 9, 29), LESSONS, frozenset({12}), weekday=1),
      Entry(2, date(2024, 9, 29), CLOSED)],
     date(2024, 9, 29), "7点", "closed"),
    # 5月11日（周六）补5月3日（周五）的课
    ("11 May makes up for a Friday", [Entry(1, date(2024, 5, 11), LESSONS, weekday=5)],
     date(2024, 5, 11), "11点", "11点"),
    # 2月8日（周六）高三补周一，高一补周二
    ("8 February differs by grade",
     [Entry(1, date(2025, 2, 8), LESSONS, frozenset({12}), weekday=1),
      Entry(2, date(2025, 2, 8), LESSONS, frozenset({10}), weekday=2)],
     date(2025, 2, 8), "7点", "8点"),
    # 校庆：周五停课，周六上周五的课
    ("the anniversary's Friday is free", [Entry(1, ANNIVERSARY_EVE, CLOSED, note="校庆")],
     ANNIVERSARY_EVE, "closed", "closed"),
    ("and its Saturday runs Friday's", [Entry(1, SATURDAY, LESSONS, weekday=5)],
     SATURDAY, "11点", "11点"),
    # 运动会：周四照周五的作息
    ("a Thursday with Friday's hours", [Entry(1, date(2024, 10, 24), LESSONS, weekday=5)],
     date(2024, 10, 24), "11点", "11点"),
    # 学校不执行调休
    ("a make-up day that the school declines", [Entry(1, date(2024, 4, 7), CLOSED)],
     date(2024, 4, 7), "closed", "closed"),
    ("the next day is not touched", [Entry(1, date(2024, 10, 12), LESSONS, weekday=5)],
     date(2024, 10, 14), "7点", "7点"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "day", "senior", "junior"), [one[1:] for one in PUBLISHED],
    ids=[one[0] for one in PUBLISHED],
)  # fmt: skip
def test_rules_that_schools_have_published(
    entries: list[Entry], day: date, senior: str, junior: str
) -> None:
    found = calendar(*entries)
    assert names(found, day, SENIOR) == senior
    assert names(found, day, JUNIOR) == junior
    if entries[0].day == day:
        assert not plan_day(found, day, SENIOR).is_unsure


def test_a_make_up_day_may_be_the_morning_alone() -> None:
    day = date(2025, 4, 27)
    entry = Entry(1, day, LESSONS, weekday=3, parts=frozenset({DayPart.MORNING}))
    whole = hours(1, date(2023, 9, 1), MORNING, AFTERNOON, EVENING)
    plan = plan_day(calendar(entry, timetables=[whole]), day, SENIOR)
    assert plan.sessions == (MORNING,)


def test_parts_keep_their_positions() -> None:
    day = date(2024, 10, 16)
    entry = Entry(1, day, LESSONS, parts=frozenset({DayPart.AFTERNOON, DayPart.EVENING}))
    whole = hours(1, date(2023, 9, 1), MORNING, AFTERNOON, EVENING)
    plan = plan_day(calendar(entry, timetables=[whole]), day, SENIOR)
    assert [one.position for one in plan.sessions] == [2, 3]


def test_a_make_up_saturday_may_run_a_timetable_of_its_own() -> None:
    day = date(2024, 9, 14)
    own = hours(9, date(2024, 9, 1), at(9), weekdays=[6], is_special=True)
    entry = Entry(1, day, LESSONS, timetable_id=9)
    found = calendar(entry, timetables=[by_weekday(), own])
    assert names(found, day) == "9点"
    assert names(found, day + timedelta(days=2)) == "7点"


def test_a_special_timetable_of_one_weekday_holds_on_whichever_day_names_it() -> None:
    exam = hours(9, date(2024, 1, 1), at(8), weekdays=[1], is_special=True)
    by_days = Hours(8, date(2024, 1, 1), None, {1: (at(8),), 2: (at(14),)}, is_special=True)
    tuesday = date(2024, 11, 5)
    for id_, name in ((9, "8点"), (8, "14点")):
        entry = Entry(1, tuesday, EXAM, timetable_id=id_)
        found = calendar(entry, timetables=[by_weekday(), exam, by_days])
        assert names(found, tuesday) == name
        assert plan_day(found, tuesday, SENIOR).kind is EXAM


def test_exams_of_one_grade_leave_the_others_their_lessons() -> None:
    day = date(2024, 11, 6)
    exam = hours(9, date(2024, 1, 1), at(14, part=DayPart.AFTERNOON), is_special=True)
    entry = Entry(1, day, EXAM, frozenset({12}), timetable_id=9, note="一模")
    found = calendar(entry, timetables=[by_weekday(), exam])
    assert (names(found, day), names(found, day, JUNIOR)) == ("14点", "9点")
    assert plan_day(found, day, SENIOR).note == "一模"
    assert plan_day(found, day, JUNIOR).kind is LESSONS


def test_the_newest_entry_counts_and_a_grades_own_before_the_schools() -> None:
    day = date(2024, 10, 16)
    of_grade = Entry(1, day, LESSONS, frozenset({12}))
    found = calendar(of_grade, Entry(2, day, CLOSED), Entry(3, day, EXAM))
    assert plan_day(found, day, SENIOR).kind is LESSONS
    assert plan_day(found, day, JUNIOR).kind is EXAM


def test_a_summer_timetable_may_start_on_a_wednesday() -> None:
    winter = hours(1, date(2024, 10, 8), at(8))
    summer = hours(2, date(2025, 5, 7), at(7), ends_on=date(2025, 9, 30))
    found = calendar(timetables=[summer, winter])
    days = [date(2025, 5, 6), date(2025, 5, 7), date(2025, 9, 30), date(2025, 10, 9)]
    assert [names(found, one) for one in days] == ["8点", "7点", "7点", "8点"]
    assert date(2025, 5, 7).isoweekday() == 3


def test_fridays_may_differ() -> None:
    whole = hours(1, date(2023, 9, 1), MORNING, AFTERNOON)
    found = calendar(timetables=[replace(whole, sessions={**whole.sessions, 5: (MORNING,)})])
    assert names(found, date(2024, 10, 17)) == "上午 下午"
    assert names(found, date(2024, 10, 18)) == "上午"


def test_a_homerooms_timetable_goes_before_its_grades_and_that_before_the_schools() -> None:
    day = date(2024, 10, 16)
    for_all = hours(1, date(2024, 9, 1), at(8))
    for_grade = hours(2, date(2024, 3, 1), at(9), grades=[12])
    for_room = hours(3, date(2024, 2, 1), at(10), homerooms=[SENIOR.id])
    assert names(calendar(timetables=[for_all, for_grade, for_room]), day) == "10点"
    assert names(calendar(timetables=[for_all, for_grade]), day) == "9点"
    assert names(calendar(timetables=[for_all, for_grade, for_room]), day, JUNIOR) == "8点"


def test_outside_of_a_term_nothing_is_expected_whatever_the_calendar_says() -> None:
    day = date(2026, 1, 5)
    found = calendar(Entry(1, day, LESSONS))
    plan = plan_day(found, day, SENIOR)
    assert (plan.kind, plan.sessions, plan.is_unsure) == (CLOSED, (), False)


def test_without_a_timetable_nothing_is_expected() -> None:
    found = Calendar(SCHOOL_YEAR, (), (), boarders_weekday=0)
    plan = plan_day(found, date(2024, 10, 16), SENIOR)
    assert (plan.kind, plan.sessions) == (LESSONS, ())


def test_boarders_are_expected_on_their_weekly_day() -> None:
    found = replace(calendar(), boarders_weekday=7, closes=21 * 60)
    plan = plan_day(found, date(2024, 10, 20), SENIOR)
    (back,) = plan.sessions
    assert (back.name, back.position, back.is_return) == (BOARDERS_NAME, BOARDERS_POSITION, True)
    assert (back.arrive_from, back.late_after, back.absent_after) == (0, 1110, 1140)
    assert back.leave_from == back.ends == 24 * 60
    assert (plan.kind, plan.closes) == (CLOSED, 21 * 60)
    assert plan_day(found, date(2024, 10, 21), SENIOR).sessions == (at(7),)


def test_boarders_stay_at_home_while_school_is_closed_on_the_next_day() -> None:
    found = replace(calendar(Entry(1, date(2024, 10, 21), CLOSED)), boarders_weekday=7)
    assert plan_day(found, date(2024, 10, 20), SENIOR).sessions == ()


def test_boarders_who_return_on_a_school_day_have_both() -> None:
    found = replace(calendar(), boarders_weekday=1, boarders_by=1430)
    plan = plan_day(found, date(2024, 10, 21), SENIOR)
    assert [one.position for one in plan.sessions] == [1, BOARDERS_POSITION]
    assert plan.sessions[1].absent_after == 1439


_days = st.dates(date(2024, 9, 1), date(2024, 10, 31))
_grades = st.frozensets(st.integers(10, 12), max_size=2)


@st.composite
def _entries(draw: st.DrawFn) -> list[Entry]:
    """What a school might say in two months."""
    return [
        Entry(
            id=n,
            day=draw(_days),
            kind=draw(st.sampled_from(DayKind)),
            grades=draw(_grades),
            weekday=draw(st.none() | st.integers(1, 7)),
            parts=draw(st.frozensets(st.sampled_from(DayPart), max_size=2)),
            timetable_id=draw(st.sampled_from([None, 1, 2, 9])),
        )
        for n in range(1, draw(st.integers(0, 8)) + 1)
    ]


@st.composite
def _timetables(draw: st.DrawFn) -> list[Hours]:
    return [
        hours(
            n,
            draw(_days),
            at(draw(st.integers(6, 12))),
            grades=draw(_grades),
            homerooms=draw(st.frozensets(st.integers(1, 2), max_size=1)),
            is_special=draw(st.booleans()),
        )
        for n in range(1, draw(st.integers(0, 4)) + 1)
    ]


@given(_entries(), _timetables(), _days)
def test_a_day_has_one_plan_in_whatever_order_things_are_given(
    entries: list[Entry], timetables: list[Hours], day: date
) -> None:
    found = Calendar(SCHOOL_YEAR, entries, timetables)
    mixed = Calendar(SCHOOL_YEAR, entries[::-1], timetables[::-1])
    plan = plan_day(found, day, SENIOR)
    assert plan == plan_day(mixed, day, SENIOR)
    assert plan.kind is not CLOSED or not [one for one in plan.sessions if not one.is_return]
    positions = [one.position for one in plan.sessions]
    assert positions == sorted(set(positions))


@given(_entries(), _timetables(), _days, _days, st.integers(6, 7))
def test_who_was_at_home_returns_once_before_lessons(
    entries: list[Entry], timetables: list[Hours], first: date, last: date, weekday: int
) -> None:
    """Between two days with lessons boarders return once if there is a closed one, else never."""
    found = Calendar(SCHOOL_YEAR, entries, timetables, boarders_weekday=weekday)
    day, closed, back = min(first, last), 0, 0
    while day <= max(first, last):
        plan = plan_day(found, day, SENIOR)
        lessons = [one for one in plan.sessions if not one.is_return]
        if plan.kind is CLOSED:
            closed, back = closed + 1, back + len(plan.sessions) - len(lessons)
            assert back <= 1
        else:
            assert lessons == list(plan.sessions)
            assert back == (1 if closed else 0) or day - timedelta(days=closed) <= min(first, last)
            closed = back = 0
        day += timedelta(days=1)


@given(_entries(), _timetables(), _days)
def test_entries_and_timetables_of_other_grades_never_matter(
    entries: list[Entry], timetables: list[Hours], day: date
) -> None:
    mine = [one for one in entries if not one.grades or SENIOR.grade in one.grades]
    own = [
        one
        for one in timetables
        if one.is_special
        or one.id in {entry.timetable_id for entry in mine}
        or _is_for(one, SENIOR)
    ]
    found = plan_day(Calendar(SCHOOL_YEAR, entries, timetables), day, SENIOR)
    assert found == plan_day(Calendar(SCHOOL_YEAR, mine, own), day, SENIOR)


def _is_for(one: Hours, room: Room) -> bool:
    if one.homerooms:
        return room.id in one.homerooms
    return not one.grades or room.grade in one.grades


def test_plans_kept_before_sessions_said_for_whom_they_are_still_read() -> None:
    """As they were written then; what is kept of a day that has not changed stays equal to it."""
    kept = (
        '{"kind":"closed","sessions":[{"position":90,"name":"返校","part":"evening",'
        '"arrive_from":0,"late_after":1110,"absent_after":1140,"leave_from":1440,"ends":1440,'
        '"expects_entry":true,"expects_exit":true,"for_boarders":true}],"note":"",'
        '"closes":1320,"is_unsure":false}'
    )
    plan = msgspec.json.decode(kept, type=DayPlan)
    assert plan == plan_day(replace(calendar(), boarders_weekday=7), date(2024, 10, 20), SENIOR)
    [back] = plan.sessions
    assert (back.is_return, back.for_whom) == (True, ForWhom.BOARDERS)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=DayPlan) == plan
    lessons = kept.replace('"for_boarders":true', '"for_boarders":false')
    [one] = msgspec.json.decode(lessons, type=DayPlan).sessions
    assert (one.is_return, one.for_whom) == (False, ForWhom.EVERYBODY)


@pytest.mark.parametrize(
    ("whom", "is_open"),
    [
        ((), False),
        ((ForWhom.BOARDERS,), False),
        ((ForWhom.DAY_STUDENTS,), True),
        ((ForWhom.EVERYBODY, ForWhom.BOARDERS), True),
    ],
)
def test_a_day_for_boarders_alone_is_no_school_day(
    whom: tuple[ForWhom, ...], is_open: bool
) -> None:
    sessions = [replace(at(8 + n, n + 1), for_whom=one) for n, one in enumerate(whom)]
    assert is_school_day(DayPlan(LESSONS, tuple(sessions))) is is_open
