"""The school as it is, read in a few queries however many people it has."""

from collections import defaultdict
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from card_server.imports.roster.present import (
    Present,
    PresentGuardian,
    PresentHomeroom,
    PresentStudent,
    PresentTie,
)
from card_server.people.boarding_days import holds_on
from card_server.register.terms import year_in_use
from card_server.storage.sealing import Seal
from integrations.roster.protocol import (
    GuardianEntry,
    HomeroomEntry,
    Roster,
    Sex,
    Status,
    StudentEntry,
)
from schema.tables.people import Boarding, Guardian, GuardianPhone, Guardianship, Student
from schema.tables.school import Campus, Homeroom

_LOCK_SPACE = 0x726F7374
"""The space of the advisory locks of imports: one at a time in each school."""


def lock_school(session: Session, school_id: int) -> None:
    """Wait for another import of this school, and keep its students as they are until the end.

    On SQLite whoever writes is alone already. A tap that is recorded meanwhile is not held up.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK_SPACE, school_id)))
    session.execute(
        select(Student.id)
        .where(Student.school_id == school_id)
        .order_by(Student.id)
        .with_for_update(key_share=True)
    )


def load_present(session: Session, school_id: int, seal: Seal, today: date) -> Present:
    """What a roster is compared with."""
    rooms = _load_homerooms(session, school_id)
    return Present(
        school_year=_year(session, school_id),
        homerooms=rooms,
        students=_load_students(session, school_id, seal, today),
        guardians=_load_guardians(session, school_id, seal),
    )


def load_year(session: Session, school_id: int, today: date) -> int:
    """The school year that a roster is for, if it does not say so itself."""
    return year_in_use(session, school_id, today)


def load_as_roster(session: Session, school_id: int, seal: Seal, today: date) -> Roster:
    """The school as a source would have it, with its ids: what a delta is laid over."""
    present = load_present(session, school_id, seal, today)
    names = _all_homeroom_names(session, school_id)
    numbers = open_numbers(session, school_id, seal)
    guardians = {one.id: one for one in present.guardians}
    homerooms = tuple(
        HomeroomEntry(one.name, one.grade, one.campus, one.sourced_id) for one in present.homerooms
    )
    students = tuple(
        StudentEntry(
            file="",
            line=0,
            number=one.number,
            name=one.name,
            homeroom=names.get(one.homeroom_id, ""),
            sex=Sex(one.sex.value),
            born_on=one.born_on,
            status=Status(one.status.value),
            is_boarding=one.is_boarding,
            guardians=tuple(
                GuardianEntry(
                    guardians[tie.guardian_id].name,
                    tie.relation,
                    numbers.get(tie.guardian_id, ()),
                    guardians[tie.guardian_id].sourced_id,
                )
                for tie in one.ties
            ),
            sourced_id=one.sourced_id,
        )
        for one in present.students
    )
    return Roster("school", homerooms, students, (), present.school_year)


def _year(session: Session, school_id: int) -> int | None:
    return session.scalar(
        select(func.max(Homeroom.school_year)).where(
            Homeroom.school_id == school_id, Homeroom.is_past.is_(False)
        )
    )


def _load_homerooms(session: Session, school_id: int) -> tuple[PresentHomeroom, ...]:
    found = session.execute(
        select(Homeroom.id, Homeroom.name, Homeroom.grade, Campus.name, Homeroom.sourced_id)
        .outerjoin(Campus, Campus.id == Homeroom.campus_id)
        .where(Homeroom.school_id == school_id, Homeroom.is_past.is_(False))
        .order_by(Homeroom.id)
    )
    return tuple(PresentHomeroom(*row) for row in found)


def _all_homeroom_names(session: Session, school_id: int) -> dict[int, str]:
    found = session.execute(
        select(Homeroom.id, Homeroom.name).where(Homeroom.school_id == school_id)
    )
    return {row.id: row.name for row in found}


def _load_students(
    session: Session, school_id: int, seal: Seal, today: date
) -> tuple[PresentStudent, ...]:
    ties = _load_ties(session, school_id)
    is_coming = (Boarding.school_id == school_id) & (Boarding.from_on > today)
    coming = set(session.scalars(select(Boarding.student_id).where(is_coming)))
    boarders = set(
        session.scalars(
            select(Boarding.student_id).where(Boarding.school_id == school_id, holds_on(today))
        )
    )
    wanted = (
        select(
            Student.id,
            Student.number,
            Student.name,
            Student.homeroom_id,
            Student.sex,
            Student.born_on,
            Student.status,
            Student.identity_hash,
            Student.identity_tail,
            Student.registry_sealed,
            Student.sourced_id,
            Student.gone_at,
        )
        .where(Student.school_id == school_id)
        .order_by(Student.id)
    )
    return tuple(
        PresentStudent(
            id=row.id,
            number=row.number,
            name=row.name,
            homeroom_id=row.homeroom_id,
            sex=row.sex,
            born_on=row.born_on,
            status=row.status,
            is_boarding=row.id in boarders,
            is_going_to_board=row.id in coming,
            identity_hash=row.identity_hash,
            identity_tail=row.identity_tail,
            registry=seal.open(row.registry_sealed) if row.registry_sealed else "",
            sourced_id=row.sourced_id,
            is_gone=row.gone_at is not None,
            ties=tuple(ties.get(row.id, ())),
        )
        for row in session.execute(wanted)
    )


def _load_ties(session: Session, school_id: int) -> dict[int, list[PresentTie]]:
    found = session.execute(
        select(
            Guardianship.student_id,
            Guardianship.guardian_id,
            Guardianship.relation,
            Guardianship.is_told,
        )
        .join(Student, Student.id == Guardianship.student_id)
        .where(Student.school_id == school_id)
        .order_by(Guardianship.priority, Guardianship.guardian_id)
    )
    ties: dict[int, list[PresentTie]] = defaultdict(list)
    for student_id, guardian_id, relation, is_told in found:
        ties[student_id].append(PresentTie(guardian_id, relation, is_told))
    return ties


def _load_guardians(session: Session, school_id: int, seal: Seal) -> tuple[PresentGuardian, ...]:
    further: dict[int, set[bytes]] = defaultdict(set)
    for guardian_id, digest in session.execute(
        select(GuardianPhone.guardian_id, GuardianPhone.phone_hash).where(
            GuardianPhone.school_id == school_id
        )
    ):
        further[guardian_id].add(digest)
    nothing = seal.hash("")
    found = session.execute(
        select(
            Guardian.id,
            Guardian.name,
            Guardian.phone_hash,
            Guardian.phone_tail,
            Guardian.sourced_id,
        )
        .where(Guardian.school_id == school_id)
        .order_by(Guardian.id)
    )
    return tuple(
        PresentGuardian(
            id_,
            name,
            None if digest == nothing else digest,
            tail,
            frozenset(further.get(id_, ())),
            sourced_id,
        )
        for id_, name, digest, tail, sourced_id in found
    )


def open_numbers(session: Session, school_id: int, seal: Seal) -> dict[int, tuple[str, ...]]:
    """Each guardian's numbers in E.164, the one for messages first."""
    numbers: dict[int, list[str]] = defaultdict(list)
    own = select(Guardian.id, Guardian.phone_sealed).where(Guardian.school_id == school_id)
    further = (
        select(GuardianPhone.guardian_id, GuardianPhone.phone_sealed)
        .where(GuardianPhone.school_id == school_id)
        .order_by(GuardianPhone.id)
    )
    for wanted in (own, further):
        for guardian_id, sealed in session.execute(wanted):
            number = seal.open(sealed)
            if number:
                numbers[guardian_id].append(number)
    return {guardian_id: tuple(of_one) for guardian_id, of_one in numbers.items()}
