"""Which homerooms a package has for the school, of which grade and year, and who is in them.

Source: classes of class type `homeroom` (OneRoster 1.2.1 CSV Binding §5.2), enrolments of role
`student` (§5.7); grades by CEDS "Entry Grade Level" (§6): KG, 01 to 13, UG and others.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Final

from integrations.roster.oneroster.findings import Kind
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.records import Class, Enrollment, Session, User
from integrations.roster.oneroster.tables import CAMPUS_TYPES
from integrations.roster.protocol import HomeroomEntry

_DEPTH: Final = 10
"""Longer chains of parents are circles."""
_SUMMER: Final = 7
"""The month in which a school year may begin; a term that begins before belongs to the last."""


def grade_number(word: str) -> int | None:
    """1 to 12; 0 for a grade outside of them (KG, 13, UG, …); None for no grade at all."""
    if word.isascii() and word.isdigit() and 1 <= int(word) <= 12:
        return int(word)
    return 0 if word.upper() in _OUTSIDE else None


_OUTSIDE: Final = frozenset(
    {"IT", "PR", "PK", "TK", "KG", "K", "0", "00", "13", "14", "PS", "PS1", "PS2", "PS3", "PS4"}
    | {"ABE", "ASE", "ADULTESL", "UG", "OTHER"}
)


class Homerooms:
    """The homerooms of the school, and each student's own."""

    def __init__(self, gathered: Gathered, classes: Iterable[Class]) -> None:
        self._gathered = gathered
        self._findings = gathered.findings
        self.year, current = _of_one_year(gathered, list(classes))
        self._classes = {class_.id: class_ for class_ in current}
        self._members = self._count_members()
        self.entries: dict[str, HomeroomEntry] = {}
        self._outside: set[str] = set()
        """Those whose grade is none of ours."""
        self._ungraded: set[str] = set()
        """Those whose grade nobody says: their students are not at fault."""
        for class_ in current:
            self._add(class_)
        self._check_names()

    def choose(self, student: User) -> HomeroomEntry | None:
        """The student's homeroom; None if there is none that counts (a finding, where due)."""
        held = self.held(student.id)
        inside = list({e.class_id: e for e in held if e.class_id in self.entries}.values())
        if len(inside) > 1:
            inside = self._choose_of_several(inside)
        if inside:
            return self.entries[inside[0].class_id]
        left_out = self._outside | self._ungraded
        is_excused = any(enrollment.class_id in left_out for enrollment in held)
        if not is_excused and not _is_outside_by_grade(student):
            passes = self._gathered.options.leaves_out_without_homeroom
            kind = Kind.HOMEROOM_LEFT_OUT if passes else Kind.HOMEROOM_MISSING
            self._findings.add(kind, student.file, student.line, "sourcedId", student.id)
        return None

    def held(self, student_id: str) -> list[Enrollment]:
        """The student's enrolments in homerooms of the school, on the day that counts."""
        on = self._gathered.options.on
        return [
            enrollment
            for enrollment in self._gathered.enrollments.get(student_id, ())
            if enrollment.class_id in self._classes and (on is None or holds(enrollment, on))
        ]

    def _choose_of_several(self, enrollments: list[Enrollment]) -> list[Enrollment]:
        """The primary one, if exactly one is."""
        primary = [enrollment for enrollment in enrollments if enrollment.is_primary]
        names = ", ".join(self.entries[e.class_id].name for e in enrollments)
        last = enrollments[-1]
        if len(primary) == 1:
            expected = self.entries[primary[0].class_id].name
            self._findings.add(
                Kind.HOMEROOMS_SEVERAL, last.file, last.line, "classSourcedId", names, expected
            )
            return primary
        self._findings.add(Kind.HOMEROOMS_UNDECIDED, last.file, last.line, "classSourcedId", names)
        return enrollments

    def _add(self, class_: Class) -> None:
        grade = self._grade(class_)
        if grade:
            campus = class_.campus or self._campus(class_.school)
            self.entries[class_.id] = HomeroomEntry(class_.title, grade, campus, class_.id)
        elif grade == 0:
            self._outside.add(class_.id)
            self._findings.add(
                Kind.GRADE_OUTSIDE, class_.file, class_.line, "grades", ", ".join(class_.grades)
            )
        else:
            self._ungraded.add(class_.id)
            self._findings.add(
                Kind.GRADE_MISSING,
                class_.file,
                class_.line,
                "grades",
                ", ".join(class_.grades) or class_.title,
                "01–12",
            )

    def _grade(self, class_: Class) -> int | None:
        """As staff say, else the class, else its course, else all of its students."""
        if class_.id in self._gathered.options.grades:
            return self._gathered.options.grades[class_.id]
        for words in (class_.grades, self._gathered.courses.get(class_.course, ())):
            if len(words) == 1 and (grade := grade_number(words[0])) is not None:
                return grade
        grades = self._members.get(class_.id, Counter())
        if len(grades) == 1:
            [grade] = grades
            self._findings.add(
                Kind.GRADE_FROM_STUDENTS, class_.file, class_.line, "grades", expected=str(grade)
            )
            return grade
        return None

    def _count_members(self) -> dict[str, Counter[int]]:
        """Homeroom → grades that its students' own rows state."""
        counts: dict[str, Counter[int]] = {}
        for user_id in self._gathered.enrollments:
            user = self._gathered.users.get(user_id)
            grades = [grade_number(word) for word in user.grades] if user else []
            grades += [grade_number(role.grade) for role in self._gathered.roles.get(user_id, ())]
            if stated := {grade for grade in grades if grade is not None}:
                for enrollment in self.held(user_id):
                    counts.setdefault(enrollment.class_id, Counter()).update(stated)
        return counts

    def _campus(self, org_id: str) -> str | None:
        org = self._gathered.orgs.get(org_id)
        return org.name if org and org.type.lower() in CAMPUS_TYPES else None

    def _check_names(self) -> None:
        first: dict[str, Class] = {}
        for class_ in self._classes.values():
            if class_.id in self.entries and first.setdefault(class_.title, class_) is not class_:
                self._findings.add(
                    Kind.HOMEROOM_NAME_TWICE,
                    class_.file,
                    class_.line,
                    "title",
                    class_.title,
                    str(first[class_.title].line),
                )


def holds(enrollment: Enrollment, on: date) -> bool:
    """Whether it is in force on that day; its last date is exclusive."""
    if enrollment.begins and enrollment.begins > on:
        return False
    return enrollment.ends is None or enrollment.ends > on


def _is_outside_by_grade(student: User) -> bool:
    return bool(student.grades) and all(grade_number(word) == 0 for word in student.grades)


def _of_one_year(gathered: Gathered, classes: list[Class]) -> tuple[int | None, list[Class]]:
    """The school year (the year in which it begins) and its classes.

    Several years stop the import: next year's homerooms are no news of this year's.
    """
    years = {class_.id: _year(gathered, class_.terms) for class_ in classes}
    stated = sorted({year for year in years.values() if year is not None})
    if gathered.options.on and len(stated) > 1:
        stated = [year for year in stated if _covers(gathered, year, gathered.options.on)] or stated
    if not stated:
        return _only_year(gathered), classes
    if len(stated) > 1:
        class_ = next(c for c in classes if years[c.id] == stated[-1])
        gathered.findings.add(
            Kind.SEVERAL_YEARS,
            class_.file,
            class_.line,
            "termSourcedIds",
            ", ".join(map(str, stated)),
        )
    year = stated[-1]
    return year, [class_ for class_ in classes if years[class_.id] in (year, None)]


def _year(gathered: Gathered, terms: tuple[str, ...]) -> int | None:
    """The latest year that one of the terms belongs to."""
    found = [_begin_year(s) for term in terms if (s := _school_year(gathered, term))]
    return max((year for year in found if year is not None), default=None)


def _school_year(gathered: Gathered, session_id: str) -> Session | None:
    """The session's school year; the session itself if it has none above it."""
    session = gathered.sessions.get(session_id)
    for _ in range(_DEPTH):
        parent = gathered.sessions.get(session.parent) if session else None
        if session is None or session.is_year or parent is None:
            break
        session = parent
    return session


def _begin_year(session: Session) -> int | None:
    """The year in which the school year begins.

    `schoolYear` names the year in which it ends (1.2.1 CSV Binding §5.1: "the year in which the
    school year ends"); some sources write the first, or both ("2026-2027"). The dates decide.
    """
    if session.begins:
        is_second_half = not session.is_year and session.begins.month < _SUMMER
        return session.begins.year - is_second_half
    stated = [int(part) for part in session.stated_year.split("-") if part.isdigit()]
    if len(stated) == 2:
        return stated[0]
    return stated[0] - 1 if stated else None


def _only_year(gathered: Gathered) -> int | None:
    """The school year, if there is exactly one in the package."""
    years = {_begin_year(session) for session in gathered.sessions.values() if session.is_year}
    return next(iter(years)) if len(years) == 1 else None


def _covers(gathered: Gathered, year: int, on: date) -> bool:
    return any(
        session.is_year
        and _begin_year(session) == year
        and (session.begins is None or session.begins <= on)
        and (session.ends is None or on <= session.ends)
        for session in gathered.sessions.values()
    )


def check_school_years(gathered: Gathered) -> None:
    """A finding for each school year whose dates say another year than its own column."""
    for session in gathered.sessions.values():
        if not (session.is_year and session.begins and session.ends):
            continue
        stated = session.stated_year.split("-")
        right = {str(session.ends.year)}
        if len(stated) == 2:
            right = {str(session.begins.year)} if stated[1] == str(session.ends.year) else set()
        if stated[0] not in right:
            gathered.findings.add(
                Kind.SCHOOL_YEAR,
                session.file,
                session.line,
                "schoolYear",
                session.stated_year,
                str(session.ends.year),
            )
