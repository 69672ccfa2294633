"""A small school written straight into a database, for the tests of pages."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils
from msgspec.structs import asdict
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.rows import Counts, DayKey, DayRow
from card_server.school_time import day_of
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.staff.sessions import describe_school
from card_server.storage.bulk import write_all
from card_server.storage.sealing import Seal
from schema.messages import CardState, Decision, ReaderState, Refusal, SourceState
from schema.tables.attendance import Attendance, Presence
from schema.tables.calendar import CalendarEntry, DayKind, EntrySource, Timetable
from schema.tables.cards import Card, CardBinding
from schema.tables.jobs import Job, JobState
from schema.tables.messages import Message, MessageKind, MessageState
from schema.tables.people import Guardian, Guardianship, Language, Student
from schema.tables.readers import Direction, Purpose, Reader, ReaderHealth
from schema.tables.school import Campus, Homeroom, School, Term
from schema.tables.staff import Role, Staff
from schema.tables.taps import DirectionBy, Effect, Tap

SEAL = Seal(bytes(32))
"""The key of the tests' settings."""
_NAMES = ("张三", "李四", "王小明", "赵雪", "欧阳娜", "刘洋", "陈晨", "杨柳")
_PINYIN = (
    "zhang san zhangsan zs",
    "li si lisi ls",
    "wang xiao ming wangxiaoming wxm",
    "zhao xue zhaoxue zx",
    "ou yang na ouyangna oyn",
    "liu yang liuyang ly",
    "chen chen chenchen cc",
    "yang liu yangliu yl",
)


@dataclass
class SmallSchool:
    """A school's ids, and the one-time password of its administrator."""

    id: int
    login: str
    password: str
    homerooms: list[int]
    students: list[int]
    uids: list[str]
    cards: list[int]
    guardians: list[int]
    readers: list[int]
    terms: list[int] = field(default_factory=list)
    campuses: list[int] = field(default_factory=list)
    timetables: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    slips: list[int] = field(default_factory=list)
    corrections: list[int] = field(default_factory=list)
    day_notes: list[int] = field(default_factory=list)
    exemptions: list[int] = field(default_factory=list)
    messages: list[UUID] = field(default_factory=list)
    """Of add_message, where a test calls it."""
    passages: list[int] = field(default_factory=list)
    """Of leave_things.py, where a test adds them."""
    evacuations: list[int] = field(default_factory=list)
    """Of campus_things.py, where a test adds them."""
    seq: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))


def make_school(session: Session, code: str = "no1", students: int = 8) -> SmallSchool:
    """Two homerooms, their students with a card and a guardian each, two gates."""
    school = School(code=code, name=f"第一中学 {code}", signature="第一中学", cards_version=7)
    session.add(school)
    session.flush()
    homerooms = [Homeroom(school_id=school.id, grade=1, name=f"高一({n})班") for n in (1, 2)]
    readers = [
        Reader(
            school_id=school.id,
            code=f"gate-{way}",
            name=name,
            place="校门",
            purpose=Purpose.GATE,
            direction=Direction(way),
        )
        for way, name in (("in", "东门进"), ("out", "东门出"))
    ]
    term = Term(
        school_id=school.id,
        school_year=2026,
        name="第一学期",
        starts_on=date(2026, 9, 1),
        ends_on=date(2027, 1, 22),
    )
    campus = Campus(school_id=school.id, name="本部")
    session.add_all([*homerooms, *readers, term, campus])
    session.flush()
    made = SmallSchool(
        school.id,
        f"admin-{code}",
        create_staff(session, school.id, f"admin-{code}", "王老师", WHOLE_SCHOOL),
        [one.id for one in homerooms],
        [],
        [],
        [],
        [],
        [one.id for one in readers],
        [term.id],
        [campus.id],
    )
    _add_calendar(session, made)
    add_students(session, made, range(students))
    return made


def _add_calendar(session: Session, school: SmallSchool) -> None:
    """An exam's timetable that no day of a term names: so days have no sessions of it."""
    timetable = Timetable(
        school_id=school.id, name="期中考试", starts_on=date(2001, 1, 1), is_special=True
    )
    session.add(timetable)
    session.flush()
    entry = CalendarEntry(
        school_id=school.id,
        day=date(2001, 1, 1),
        kind=DayKind.CLOSED,
        note="元旦",
        source=EntrySource.STATE,
        made_by="王老师",
        made_at=datetime.now(UTC),
    )
    session.add(entry)
    session.flush()
    school.timetables.append(timetable.id)
    school.entries.append(entry.id)


def add_student(session: Session, school: SmallSchool, number: int) -> None:
    """The school's next student, with a card and a guardian."""
    add_students(session, school, [number])


def add_students(session: Session, school: SmallSchool, numbers: Sequence[int]) -> None:
    """The school's next students, each with a card and a guardian, written together."""
    now = datetime.now(UTC)
    students = [_student(school, number) for number in numbers]
    guardians = [_guardian(school, number, now) for number in numbers]
    cards = [_card(school, number, now) for number in numbers]
    session.add_all([*students, *guardians, *cards])
    session.flush()
    for student, guardian, card in zip(students, guardians, cards, strict=True):
        session.add(
            Guardianship(
                student_id=student.id, guardian_id=guardian.id, relation="母亲", consented_at=now
            )
        )
        session.add(
            CardBinding(school_id=school.id, card_id=card.id, student_id=student.id, bound_at=now)
        )
    session.flush()
    school.students += [one.id for one in students]
    school.guardians += [one.id for one in guardians]
    school.uids += [one.uid for one in cards]
    school.cards += [one.id for one in cards]


def _student(school: SmallSchool, number: int) -> Student:
    known = number % len(_NAMES)
    return Student(
        school_id=school.id,
        number=f"2026{number:04}",
        name=_NAMES[known] + ("" if number < len(_NAMES) else str(number)),
        pinyin=_PINYIN[known],
        homeroom_id=school.homerooms[number % 2],
    )


def _guardian(school: SmallSchool, number: int, now: datetime) -> Guardian:
    phone = f"+8613800{1000 + number:06}"
    return Guardian(
        school_id=school.id,
        name="家长",
        phone_sealed=SEAL.close(phone),
        phone_hash=SEAL.hash(phone),
        phone_tail=phone[-4:],
        verified_at=now,
    )


def _card(school: SmallSchool, number: int, now: datetime) -> Card:
    return Card(
        school_id=school.id,
        uid=f"04{school.id:04X}{number:08X}",
        state=CardState.ACTIVE,
        state_since=now,
    )


def add_tap(
    session: Session,
    school: SmallSchool,
    student: int | None,
    *,
    at: datetime | None = None,
    uid: str = "04AAAAAAAAAAAA",
    reason: Refusal | None = None,
    late_minutes: int = 0,
) -> UUID:
    """A tap at the entrance and, unless refused, the arrival that it makes."""
    now = at or datetime.now(UTC)
    admitted = reason is None
    tap = Tap(
        school_id=school.id,
        id=UUID(str(uuid_utils.uuid7())),
        reader_id=school.readers[0],
        boot=1,
        seq=next(school.seq),
        uid=uid if student is None else school.uids[student],
        student_id=None if student is None else school.students[student],
        tapped_at=now,
        sent_at=now,
        received_at=now,
        occurred_at=now,
        clock_suspect=False,
        decision=Decision.ADMITTED if admitted else Decision.REFUSED,
        reason=reason,
        cards_version=7,
        direction=Direction.IN,
        direction_by=DirectionBy.READER,
        effect=Effect.ARRIVAL if admitted else Effect.NONE,
    )
    session.add(tap)
    if admitted and student is not None:
        _add_arrival(session, school, student, now, late_minutes)
    session.flush()
    return tap.id


def add_message(
    session: Session,
    school: SmallSchool,
    student: int,
    state: MessageState = MessageState.ACCEPTED,
    body: str = "【第一中学】家长您好，张三已于07:32进入学校。",
) -> None:
    """A message about a student's arrival, as the console provider took it."""
    now = datetime.now(UTC)
    school.messages.append(UUID(str(uuid_utils.uuid7())))
    session.add(
        Message(
            school_id=school.id,
            id=school.messages[-1],
            kind=MessageKind.ARRIVAL,
            student_id=school.students[student],
            guardian_id=school.guardians[student],
            body=body,
            state=state,
            provider="console" if state is MessageState.ACCEPTED else None,
            error="30006: landline or unreachable" if state is MessageState.FAILED else None,
            attempts=1,
            created_at=now,
            due_at=now,
            expires_at=now + timedelta(minutes=30),
            changed_at=now,
        )
    )
    session.flush()


def add_health(session: Session, school: SmallSchool, reader: int, seen_at: datetime) -> None:
    """What a reader said of itself at a moment: all is well."""
    session.add(
        ReaderHealth(
            reader_id=school.readers[reader],
            school_id=school.id,
            state=ReaderState.ONLINE,
            source=SourceState.READY,
            seen_at=seen_at,
            boot=1,
            drained_to=seen_at,
            cards_version=7,
            cards_at=seen_at,
            spooled=0,
            aside=0,
            disk_free_mb=12_000,
            clock_skew_s=0.2,
            failures="",
            software="0.1.0",
        )
    )
    session.flush()


def add_job(
    session: Session,
    school: SmallSchool,
    login: str | None = None,
    state: JobState = JobState.QUEUED,
) -> int:
    """An export of taps that the school's administrator, or whoever has this login, asked for."""
    who = session.scalars(select(Staff).where(Staff.login == (login or school.login))).one()
    now = datetime.now(UTC)
    has_ended = state not in (JobState.QUEUED, JobState.RUNNING)
    job = Job(
        school_id=school.id,
        kind="export",
        state=state,
        parameters='{"filters": {}, "format": "csv", "list": "taps"}',
        language=Language.ENGLISH,
        made_by=who.id,
        made_by_name=who.name,
        made_as=" ".join(Role),
        made_at=now,
        changed_at=now,
        finished_at=now if has_ended else None,
        file_name="taps-2026-09-01.csv" if state is JobState.DONE else None,
    )
    session.add(job)
    session.flush()
    return job.id


def _add_arrival(
    session: Session, school: SmallSchool, student: int, at: datetime, late_minutes: int
) -> None:
    row = session.get_one(School, school.id)
    day = day_of(at, describe_school(row).zone)
    student_id = school.students[student]
    homeroom_id = session.scalars(select(Student.homeroom_id).where(Student.id == student_id)).one()
    key = DayKey(school.id, day, student_id)
    keep_day(session, make_day(key, homeroom_id, at, late_minutes=late_minutes), inside=1)
    session.merge(
        Presence(
            school_id=school.id,
            student_id=student_id,
            homeroom_id=homeroom_id,
            is_inside=True,
            since_at=at,
            reader_id=school.readers[0],
            is_closed=False,
        )
    )


def make_day(
    key: DayKey, homeroom_id: int, arrived_at: datetime | None, **numbers: int | str
) -> DayRow:
    """A student's day of which no more is known than these numbers."""
    known: dict[str, Any] = dict.fromkeys(DayRow.__struct_fields__[6:-2], 0)
    known |= {"departed_at": None, "sessions": "", "findings": ""} | numbers
    return DayRow(key.school_id, key.day, key.student_id, homeroom_id, arrived_at, **known)


def keep_day(session: Session, row: DayRow, inside: int = 0) -> None:
    """Write a day, and what it adds to the homeroom's counts."""
    session.merge(Attendance(**asdict(row)))
    session.flush()
    counts = Counts()
    counts.add_day(row, 1)
    counts.of(row.school_id, row.homeroom_id, row.day).inside += inside
    write_all(session, [counts.write()])
