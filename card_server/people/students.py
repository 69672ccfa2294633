"""Students (学生): adding and changing who they are; their numbers are kept sealed."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.people.identity import Identity, read_identity
from card_server.people.names import read_name, write_pinyin
from card_server.people.stays import (
    find_new_homeroom,
    lock_student,
    open_stay,
    refuse_future,
)
from card_server.register.terms import read_day
from card_server.seen import changes, refuse_if_changed
from card_server.storage.sealing import Seal
from card_server.webhooks.changes import NewStatus, tell_of_statuses
from schema.tables.people import Sex, Student, StudentStatus
from schema.tables.school import Homeroom

_NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,31}")
_FIRST_BORN = 1900
_REGISTRY = re.compile(r"[A-Z0-9]{6,32}")


@dataclass(frozen=True)
class StudentSettings:
    """Who a student is; an identity or registry number of None stays as it is."""

    number: str
    name: str
    sex: Sex
    born_on: date | None
    identity: Identity | None = None
    registry: str | None = None


def find_student(session: Session, school_id: int, student_id: int) -> Student:
    """One student of a school. Raises AppError(NOT_FOUND)."""
    student = session.scalar(
        select(Student).where(Student.school_id == school_id, Student.id == student_id)
    )
    if student is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    return student


class NamedStudent(NamedTuple):
    """What a page about one student has over it."""

    name: str
    number: str
    homeroom_id: int
    """The homeroom of today."""
    homeroom: str


def name_student(session: Session, school_id: int, student_id: int) -> NamedStudent:
    """Who a student is called, and where they are. Raises AppError(NOT_FOUND)."""
    row = session.execute(
        select(Student.name, Student.number, Student.homeroom_id, Homeroom.name)
        .join(Homeroom, Homeroom.id == Student.homeroom_id)
        .where(Student.school_id == school_id, Student.id == student_id)
    ).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, "There is no such student in this school.")
    return NamedStudent(*row)


def read_settings(typed: Mapping[str, str]) -> StudentSettings:
    """What somebody typed, as settings. Raises FieldsError."""
    wrong = Problems()
    settings = read_settings_into(wrong, typed)
    wrong.refuse()
    return settings


def read_settings_into(wrong: Problems, typed: Mapping[str, str]) -> StudentSettings:
    """The same; what is wrong is added to the problems.

    Birth date and sex may be left out where the identity number says them; where both are there
    they must agree.
    """
    number = read_number(wrong, typed.get("number", ""))
    name = read_name(wrong, "name", typed.get("name", ""))
    sex = typed.get("sex", "") or Sex.UNKNOWN
    if sex not in list(Sex):
        wrong.add("sex", _("Choose from the list."))
    day = typed.get("born_on", "").strip()
    born_on = read_day(wrong, "born_on", day, _FIRST_BORN) if day else None
    identity = _read_identity(wrong, typed.get("identity", ""))
    registry = _read_registry(wrong, typed.get("registry", ""))
    if identity and identity.born_on:
        if born_on not in (None, identity.born_on):
            wrong.add("born_on", _("The identity number says another birth date."))
        if sex not in (Sex.UNKNOWN, identity.sex):
            wrong.add("sex", _("The identity number says otherwise."))
        born_on, sex = identity.born_on, identity.sex or Sex.UNKNOWN
    kept_sex = Sex(sex) if sex in list(Sex) else Sex.UNKNOWN
    return StudentSettings(number, name, kept_sex, born_on, identity, registry)


def read_number(wrong: Problems, typed: str) -> str:
    """A student number (学号): letters and digits, without spaces."""
    number = re.sub(r"\s", "", unicodedata.normalize("NFKC", typed))
    if not _NUMBER.fullmatch(number):
        wrong.add("number", _("A student number has 1 to 32 letters and digits."))
    return number


def _read_identity(wrong: Problems, typed: str) -> Identity | None:
    if not typed.strip():
        return None
    try:
        return read_identity(typed)
    except AppError as error:
        wrong.add("identity", error.message)
        return None


def _read_registry(wrong: Problems, typed: str) -> str | None:
    registry = re.sub(r"\s", "", unicodedata.normalize("NFKC", typed)).upper()
    if registry and not _REGISTRY.fullmatch(registry):
        wrong.add("registry", _("A registry number has 6 to 32 letters and digits."))
    return registry or None


def settings_of(student: Student) -> dict[str, object]:
    """Who the student is now, as a form shows it: of the sealed numbers the last digits."""
    return {
        "number": student.number,
        "name": student.name,
        "sex": student.sex,
        "born_on": student.born_on,
        "identity": student.identity_tail,
        "registry": student.registry_tail,
    }


def add_student(
    session: Session,
    actor: Actor,
    school_id: int,
    wanted: StudentSettings,
    homeroom_id: int,
    on: date,
    today: date,
    seal: Seal,
) -> Student:
    """A new student, of a homeroom from `on`.

    Raises FieldsError when the school has the number or the identity number already.
    """
    refuse_future(on, today)
    homeroom = find_new_homeroom(session, school_id, homeroom_id)
    student = Student(
        school_id=school_id,
        homeroom_id=homeroom.id,
        status=StudentStatus.ENROLLED,
        status_since=on,
        identity_tail="",
        registry_tail="",
    )
    _keep(session, student, wanted, seal)
    open_stay(session, student, homeroom, on)
    tell_of_statuses(session, school_id, [NewStatus(student.id, None, student.status, on)])
    details = settings_of(student) | {"homeroom": homeroom.name, "on": on}
    note(session, school_id, actor, "student.made", f"student:{student.id}", details=details)
    return student


def change_student(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    wanted: StudentSettings,
    seal: Seal,
    seen: str | None = None,
) -> bool:
    """Whether anything changed.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen, FieldsError when
    another student has the number.
    """
    student = lock_student(session, school_id, student_id)
    before = settings_of(student)
    refuse_if_changed(before, seen)
    has_new_identity = wanted.identity is not None and student.identity_hash != seal.hash(
        wanted.identity.number
    )
    _keep(session, student, wanted, seal)
    changed = changes(before, settings_of(student))
    if not changed and not has_new_identity and wanted.registry is None:
        return False
    note(session, school_id, actor, "student.changed", f"student:{student_id}", details=changed)
    return True


def forget_numbers(
    session: Session, actor: Actor, school_id: int, student_id: int, reason: str = ""
) -> None:
    """Keep the identity and the registry number no longer. Raises AppError(NOT_FOUND)."""
    student = lock_student(session, school_id, student_id)
    student.identity_sealed, student.identity_hash, student.identity_tail = None, None, ""
    student.registry_sealed, student.registry_tail = None, ""
    session.flush()
    subject = f"student:{student_id}"
    note(session, school_id, actor, "student.numbers_removed", subject, reason=reason)


def _keep(session: Session, student: Student, wanted: StudentSettings, seal: Seal) -> None:
    if wanted.identity is not None:
        _keep_identity(session, student, wanted.identity.number, seal)
    if wanted.registry is not None:
        student.registry_sealed = seal.close(wanted.registry)
        student.registry_tail = wanted.registry[-4:]
    try:
        with session.begin_nested():
            student.number, student.name = wanted.number, wanted.name
            student.pinyin = write_pinyin(wanted.name)
            student.sex, student.born_on = wanted.sex, wanted.born_on
            session.add(student)
    except IntegrityError as error:
        taken = {"number": _("Another student of the school has this number.")}
        raise FieldsError(taken, Code.CONFLICT) from error


def _keep_identity(session: Session, student: Student, number: str, seal: Seal) -> None:
    digest = seal.hash(number)
    if student.identity_hash == digest:
        return
    with session.no_autoflush:
        other = session.scalar(
            select(Student.id)
            .where(
                Student.school_id == student.school_id,
                Student.identity_hash == digest,
                Student.id != (student.id or 0),
            )
            .limit(1)
        )
    if other is not None:
        raise FieldsError(
            {"identity": _("Another student of the school has this identity number.")},
            Code.CONFLICT,
        )
    student.identity_sealed, student.identity_hash = seal.close(number), digest
    student.identity_tail = number[-4:]
