"""Which homeroom a student was of, and from when until when (班级变动)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.attendance.refold import refold
from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.people.moved_days import move_days
from card_server.register.homerooms import find_homeroom
from card_server.school_time import day_of
from schema.tables.people import HomeroomStay, Student, StudentStatus
from schema.tables.school import Homeroom

_YEAR_BEGINS = (9, 1)
"""Month and day from which a student without a history is taken to have been in the homeroom."""


@dataclass(frozen=True)
class Stay:
    """A student's time in a homeroom, which has the name and grade of that time."""

    homeroom_id: int
    homeroom: str
    grade: int
    school_year: int
    from_on: date
    until_on: date | None
    """The first day that is not of it any more; None while it lasts."""


def list_stays(session: Session, school_id: int, student_id: int) -> list[Stay]:
    """A student's homerooms, the newest first.

    Homerooms by their table: a teacher reads where the own students were, though those homerooms
    themselves are out of the teacher's reach.
    """
    room = Homeroom.__table__
    found = session.execute(
        select(
            HomeroomStay.homeroom_id,
            room.c.name,
            room.c.grade,
            room.c.school_year,
            HomeroomStay.from_on,
            HomeroomStay.until_on,
        )
        .join(room, room.c.id == HomeroomStay.homeroom_id)
        .where(HomeroomStay.school_id == school_id, HomeroomStay.student_id == student_id)
        .order_by(HomeroomStay.from_on.desc())
    )
    return [Stay(*row) for row in found]


def homeroom_on(session: Session, school_id: int, student_id: int, day: date) -> int | None:
    """The homeroom that a student was of on a day; None when of none that is known."""
    return session.scalar(
        select(HomeroomStay.homeroom_id).where(
            HomeroomStay.school_id == school_id,
            HomeroomStay.student_id == student_id,
            HomeroomStay.from_on <= day,
            (HomeroomStay.until_on.is_(None)) | (HomeroomStay.until_on > day),
        )
    )


def move_student(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    homeroom_id: int,
    on: date,
    now: datetime,
    zone: ZoneInfo,
) -> bool:
    """Whether the student is of another homeroom now; from `on`, which is today or was.

    The days since then are judged by the new homeroom's hours.

    Raises AppError(NOT_FOUND), FieldsError for a homeroom or a day that cannot be.
    """
    student = lock_student(session, school_id, student_id)
    if student.status is not StudentStatus.ENROLLED:
        raise AppError(Code.CONFLICT, "Only a student who is enrolled can change the homeroom.")
    if student.homeroom_id == homeroom_id:
        return False
    wanted = find_new_homeroom(session, school_id, homeroom_id)
    before = session.get_one(Homeroom, student.homeroom_id)
    today = day_of(now, zone)
    refuse_future(on, today)
    close_stay(session, student, on)
    open_stay(session, student, wanted, on)
    move_days(session, school_id, {student.id: wanted.id}, on, zone)
    details = {"homeroom": [before.name, wanted.name], "on": on}
    refold(session, school_id, student_id, on, today, now)
    note(session, school_id, actor, "student.moved", f"student:{student_id}", details=details)
    return True


def lock_student(session: Session, school_id: int, student_id: int) -> Student:
    """A student, while nobody else can change them.

    Raises AppError(NOT_FOUND), and AppError(CONFLICT) for one whose data were erased.
    """
    student = session.scalar(
        select(Student)
        .where(Student.school_id == school_id, Student.id == student_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if student is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    if student.erased_at is not None:
        raise AppError(Code.CONFLICT, _ERASED)
    return student


_ERASED = _("What was kept on this student is erased for good. Nothing can be added or changed.")


def find_new_homeroom(session: Session, school_id: int, homeroom_id: int) -> Homeroom:
    """A homeroom that somebody can come into. Raises FieldsError."""
    try:
        found = find_homeroom(session, school_id, homeroom_id)
    except AppError as error:
        raise FieldsError({"homeroom_id": _NO_HOMEROOM}) from error
    if found.is_past:
        raise FieldsError({"homeroom_id": _("The school year of this homeroom is over.")})
    return found


def refuse_future(on: date, today: date, field: str = "on") -> None:
    """Raise FieldsError for a day that has not come: what is noted has happened."""
    if on > today:
        raise FieldsError({field: _("This day has not come yet.")})


def close_stay(session: Session, student: Student, on: date) -> None:
    """End the student's stay with the day before `on`; a stay that began then never was.

    Raises FieldsError for a day before the stay began.
    """
    stay = _open_stay(session, student)
    if stay is None:
        if _was_anywhere(session, student):
            return
        room = session.get_one(Homeroom, student.homeroom_id)
        begun = min(date(room.school_year, *_YEAR_BEGINS), on - timedelta(days=1))
        _add(session, student, student.homeroom_id, begun, on)
    elif stay.from_on > on:
        raise FieldsError({"on": _("The student came into the present homeroom after this day.")})
    elif stay.from_on == on:
        session.delete(stay)
    else:
        stay.until_on = on
    session.flush()


def open_stay(session: Session, student: Student, homeroom: Homeroom, on: date) -> None:
    """The student is of this homeroom from `on`; the stay before must be closed."""
    student.homeroom_id = homeroom.id
    last = session.scalar(
        select(HomeroomStay)
        .where(HomeroomStay.student_id == student.id)
        .order_by(HomeroomStay.from_on.desc())
        .limit(1)
    )
    if last is not None and last.homeroom_id == homeroom.id and last.until_on == on:
        # There and back on one day: the stay before simply goes on.
        last.until_on = None
    else:
        _add(session, student, homeroom.id, on, None)
    session.flush()


def _open_stay(session: Session, student: Student) -> HomeroomStay | None:
    return session.scalar(
        select(HomeroomStay).where(
            HomeroomStay.student_id == student.id, HomeroomStay.until_on.is_(None)
        )
    )


def _was_anywhere(session: Session, student: Student) -> bool:
    wanted = select(HomeroomStay.from_on).where(HomeroomStay.student_id == student.id).limit(1)
    return session.scalar(wanted) is not None


def _add(
    session: Session, student: Student, homeroom_id: int, from_on: date, until_on: date | None
) -> None:
    session.add(
        HomeroomStay(
            student_id=student.id,
            from_on=from_on,
            school_id=student.school_id,
            homeroom_id=homeroom_id,
            until_on=until_on,
        )
    )


_NO_HOMEROOM = _("There is no such homeroom in this school.")
