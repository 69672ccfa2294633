"""The school as other systems read it: a OneRoster 1.2 package.

Identity and registry numbers stay here: a package goes to systems that have no use for them.
"""

import io
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.imports.roster.loading import load_present, open_numbers
from card_server.imports.roster.present import PresentGuardian, PresentStudent
from card_server.storage.sealing import Seal
from integrations.roster.oneroster import school as going_out
from integrations.roster.oneroster.csv_writer import write_csv
from integrations.roster.oneroster.school import stable_id
from integrations.roster.protocol import Sex, Status
from schema.tables.school import School, Term

EXPORTED = "roster.exported"
_YEAR_BEGINS: Final = (9, 1)
_YEAR_ENDS: Final = (8, 31)


def write_package(session: Session, school_id: int, seal: Seal, today: date) -> bytes:
    """Today's school as a OneRoster 1.2 package. Raises AppError(CONFLICT) without homerooms."""
    school = session.get_one(School, school_id)
    present = load_present(session, school_id, seal, today)
    if present.school_year is None:
        raise AppError(
            Code.CONFLICT, _("The school has no homerooms yet; there is nothing to give.")
        )
    rooms = {
        one.id: one.sourced_id or _id(school, "homeroom", one.name) for one in present.homerooms
    }
    students = [
        one
        for one in present.students
        if one.is_of_school and not one.is_gone and one.homeroom_id in rooms
    ]
    numbers = open_numbers(session, school_id, seal)
    tied = {tie.guardian_id for one in students for tie in one.ties}
    guardians = {one.id: one for one in present.guardians if one.id in tied}
    package = going_out.School(
        sourced_id=_id(school, "org", school.code),
        name=school.name,
        identifier=school.code,
        year=_year(session, school, present.school_year),
        homerooms=tuple(
            going_out.Homeroom(rooms[one.id], one.name, one.grade, one.campus)
            for one in present.homerooms
        ),
        students=tuple(_student(school, one, rooms, guardians) for one in students),
        guardians=tuple(
            going_out.Guardian(_guardian_id(school, one), one.name, numbers.get(one.id, ())[:2])
            for one in guardians.values()
        ),
    )
    body = io.BytesIO()
    write_csv(body, package)
    return body.getvalue()


def _student(
    school: School,
    one: PresentStudent,
    rooms: dict[int, str],
    guardians: dict[int, PresentGuardian],
) -> going_out.Student:
    return going_out.Student(
        sourced_id=one.sourced_id or _id(school, "student", one.number),
        number=one.number,
        name=one.name,
        homeroom=rooms[one.homeroom_id],
        sex=Sex(one.sex.value),
        born_on=one.born_on,
        status=Status(one.status.value),
        is_boarding=one.is_boarding,
        guardians=tuple(
            going_out.Tie(_guardian_id(school, guardians[tie.guardian_id]), tie.relation)
            for tie in one.ties
        ),
    )


def _guardian_id(school: School, one: PresentGuardian) -> str:
    return one.sourced_id or _id(school, "guardian", str(one.id))


def _id(school: School, kind: str, key: str) -> str:
    return stable_id(school.code, kind, key)


def _year(session: Session, school: School, year: int) -> going_out.SchoolYear:
    terms = session.scalars(
        select(Term)
        .where(Term.school_id == school.id, Term.school_year == year)
        .order_by(Term.starts_on)
    ).all()
    begins, ends = date(year, *_YEAR_BEGINS), date(year + 1, *_YEAR_ENDS)
    return going_out.SchoolYear(
        _id(school, "year", str(year)),
        f"{year}-{year + 1}",
        min([begins, *(one.starts_on for one in terms)]),
        max([ends, *(one.ends_on for one in terms)]),
        tuple(
            going_out.Term(
                _id(school, "term", one.starts_on.isoformat()), one.name, one.starts_on, one.ends_on
            )
            for one in terms
        ),
    )
