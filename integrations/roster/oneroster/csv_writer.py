"""The school as a OneRoster 1.2 package of CSV files: whole (bulk), for other systems to read.

Source: OneRoster 1.2.1 CSV Binding §3 and §5: columns in their order, status and dateLastModified
empty in bulk, UTF-8, one line per record. Values go out literally: the readers are programs, and
a mark before `=` or `+` would be part of the name or the phone for them.
"""

import csv
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from io import TextIOWrapper
from typing import BinaryIO, Final

from integrations.roster.names import clean_name
from integrations.roster.oneroster import tables
from integrations.roster.oneroster.names import split_name
from integrations.roster.oneroster.rows import clean
from integrations.roster.oneroster.school import Guardian, School, Student, stable_id
from integrations.roster.protocol import Sex

_Cells = dict[str, str]

_WRITTEN: Final = (
    tables.ORGS,
    tables.SESSIONS,
    tables.COURSES,
    tables.CLASSES,
    tables.USERS,
    tables.ROLES,
    tables.DEMOGRAPHICS,
    tables.ENROLLMENTS,
)
_NOT_OF_THE_STANDARD: Final = frozenset({"userFlags"})
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The same school gives the same bytes."""

_PARENTS: Final = frozenset({"父亲", "母亲", "家长", "继父", "继母", "养父", "养母"})
_GUARDIANS: Final = frozenset({"监护人", "其他监护人"})
_SEXES: Final = {Sex.MALE: "male", Sex.FEMALE: "female", Sex.UNKNOWN: "unspecified"}


def write_csv(target: BinaryIO, school: School) -> None:
    """Write the zip. Raises ValueError if a student names a homeroom or a guardian that is none."""
    _check(school)
    rows = {
        tables.ORGS: _orgs(school),
        tables.SESSIONS: _sessions(school),
        tables.COURSES: _courses(school),
        tables.CLASSES: _classes(school),
        tables.USERS: _users(school),
        tables.ROLES: _roles(school),
        tables.DEMOGRAPHICS: _demographics(school),
        tables.ENROLLMENTS: _enrollments(school),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        written = [table for table in _WRITTEN if _write(archive, table, rows[table])]
        _write(archive, tables.MANIFEST, _manifest(written))


def _check(school: School) -> None:
    homerooms = {homeroom.sourced_id for homeroom in school.homerooms}
    guardians = {guardian.sourced_id for guardian in school.guardians}
    for student in school.students:
        if student.homeroom not in homerooms:
            raise ValueError(f"student {student.sourced_id} is of no homeroom that is written")
        if not guardians.issuperset(tie.guardian for tie in student.guardians):
            raise ValueError(f"student {student.sourced_id} has a guardian who is not written")


def _write(archive: zipfile.ZipFile, table: str, rows: Iterable[_Cells]) -> bool:
    """Whether there was anything to write: a file without records is not allowed (§3.2)."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return False
    member = zipfile.ZipInfo(f"{table}.csv", _MOMENT)
    member.compress_type = zipfile.ZIP_DEFLATED
    columns = (*tables.COLUMNS[table], *tables.EXTRA_COLUMNS.get(table, ()))
    with TextIOWrapper(archive.open(member, "w"), encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(iterator)
    return True


def _manifest(written: list[str]) -> Iterator[_Cells]:
    values = {"manifest.version": "1.0", "oneroster.version": "1.2"}
    names = {*tables.IN_ORDER, *tables.NOT_READ} - {tables.RELATIONSHIPS} - _NOT_OF_THE_STANDARD
    for table in sorted(names, key=str.lower):
        values[f"file.{table}"] = "bulk" if table in written else "absent"
    values |= {"source.systemName": "Campus Card", "source.systemCode": "campus-card"}
    for name, value in values.items():
        yield {"propertyName": name, "value": value}


def _orgs(school: School) -> Iterator[_Cells]:
    yield {
        "sourcedId": school.sourced_id,
        "name": clean(school.name),
        "type": "school",
        "identifier": clean(school.identifier),
    }


def _sessions(school: School) -> Iterator[_Cells]:
    year = school.year
    yield _session(year.sourced_id, year.title, "schoolYear", year.begins_on, year.ends_on, school)
    for term in year.terms:
        row = _session(term.sourced_id, term.title, "term", term.begins_on, term.ends_on, school)
        yield {**row, "parentSourcedId": year.sourced_id}


def _session(
    id_: str, title: str, type_: str, begins_on: date, ends_on: date, school: School
) -> _Cells:
    return {
        "sourcedId": id_,
        "title": clean(title),
        "type": type_,
        "startDate": begins_on.isoformat(),
        "endDate": ends_on.isoformat(),
        "schoolYear": str(school.year.ends_on.year),
    }


def _courses(school: School) -> Iterator[_Cells]:
    """One for each grade: a class must be of a course, also where it is a homeroom."""
    for grade in sorted({homeroom.grade for homeroom in school.homerooms}):
        yield {
            "sourcedId": _course_id(school, grade),
            "schoolYearSourcedId": school.year.sourced_id,
            "title": f"Homeroom {grade}",
            "courseCode": f"HR{grade:02d}",
            "grades": f"{grade:02d}",
            "orgSourcedId": school.sourced_id,
        }


def _course_id(school: School, grade: int) -> str:
    return stable_id(school.sourced_id, "course", str(grade))


def _classes(school: School) -> Iterator[_Cells]:
    terms = [term.sourced_id for term in school.year.terms] or [school.year.sourced_id]
    for homeroom in school.homerooms:
        yield {
            "sourcedId": homeroom.sourced_id,
            "title": clean(homeroom.name),
            "grades": f"{homeroom.grade:02d}",
            "courseSourcedId": _course_id(school, homeroom.grade),
            "classType": "homeroom",
            "schoolSourcedId": school.sourced_id,
            "termSourcedIds": ",".join(terms),
            tables.CAMPUS: clean(homeroom.campus or ""),
        }


def _users(school: School) -> Iterator[_Cells]:
    grades = {homeroom.sourced_id: homeroom.grade for homeroom in school.homerooms}
    for student in school.students:
        yield {
            **_person(student.sourced_id, student.name, student.number, school),
            "identifier": student.number,
            "agentSourcedIds": ",".join(tie.guardian for tie in student.guardians),
            "grades": f"{grades[student.homeroom]:02d}",
            tables.STUDENT_STATUS: student.status or "",
            tables.BOARDING: ""
            if student.is_boarding is None
            else str(student.is_boarding).lower(),
            tables.AGENT_RELATIONS: ",".join(
                clean(tie.relation).replace(",", "，") for tie in student.guardians
            ),
        }
    for guardian in school.guardians:
        phones = (*guardian.phones, "", "")
        yield {
            **_person(guardian.sourced_id, guardian.name, guardian.sourced_id, school),
            "sms": phones[0],
            "phone": phones[1],
        }


def _person(id_: str, name: str, username: str, school: School) -> _Cells:
    name = clean_name(name)
    family, given = split_name(name)
    return {
        "sourcedId": id_,
        "enabledUser": "true",
        "username": username,
        "givenName": given,
        "familyName": family,
        "primaryOrgSourcedId": school.sourced_id,
        tables.FULL_NAME: name,
    }


def _roles(school: School) -> Iterator[_Cells]:
    for student in school.students:
        yield _role(school, student.sourced_id, tables.STUDENT)
    relations: dict[str, str] = {}
    for student in school.students:
        for tie in student.guardians:
            relations.setdefault(tie.guardian, tie.relation)
    for guardian in school.guardians:
        yield _role(school, guardian.sourced_id, _guardian_role(guardian, relations))


def _guardian_role(guardian: Guardian, relations: dict[str, str]) -> str:
    relation = relations.get(guardian.sourced_id, "")
    if relation in _PARENTS:
        return tables.PARENT
    return tables.GUARDIAN if not relation or relation in _GUARDIANS else tables.RELATIVE


def _role(school: School, user_id: str, role: str) -> _Cells:
    return {
        "sourcedId": stable_id(school.sourced_id, "role", user_id),
        "userSourcedId": user_id,
        "roleType": "primary",
        "role": role,
        "orgSourcedId": school.sourced_id,
    }


def _demographics(school: School) -> Iterator[_Cells]:
    for student in school.students:
        if student.sex is not None or student.born_on is not None:
            yield {
                "sourcedId": student.sourced_id,
                "birthDate": student.born_on.isoformat() if student.born_on else "",
                "sex": _SEXES[student.sex] if student.sex is not None else "",
            }


def _enrollments(school: School) -> Iterator[_Cells]:
    for student in school.students:
        yield {
            "sourcedId": _enrollment_id(school, student),
            "classSourcedId": student.homeroom,
            "schoolSourcedId": school.sourced_id,
            "userSourcedId": student.sourced_id,
            "role": tables.STUDENT,
        }


def _enrollment_id(school: School, student: Student) -> str:
    return stable_id(school.sourced_id, "enrollment", f"{student.sourced_id}\n{student.homeroom}")
