"""People out of a table whose columns are known: the roster, and what is wrong with its rows."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from integrations.roster import codes
from integrations.roster.codes import CodeTable
from integrations.roster.dates import DateError, read_date
from integrations.roster.identity_numbers import (
    IdentityError,
    IdentityNumber,
    Paper,
    mask,
    read_identity,
)
from integrations.roster.kinds import Kind
from integrations.roster.names import LONGEST, clean_name, is_lost, is_odd
from integrations.roster.phones import COUNTRIES
from integrations.roster.protocol import HomeroomEntry, Roster, Sex, Status, StudentEntry
from integrations.roster.sheets.cells import Cells
from integrations.roster.sheets.columns import Mapped, missing, twice
from integrations.roster.sheets.duplicates import Duplicates
from integrations.roster.sheets.fields import Field
from integrations.roster.sheets.files import Row, Table
from integrations.roster.sheets.findings import Findings
from integrations.roster.sheets.guardians import GuardianReader
from integrations.roster.sheets.homerooms import HomeroomError, School, read_homeroom
from integrations.roster.sheets.rooms import Rooms


class SheetOptions(Struct, frozen=True):
    """What the school says about its sheets."""

    school: School
    countries: tuple[str, ...] = COUNTRIES
    """Whose phone numbers are taken; the first needs no country code."""
    words: Mapping[Field, Mapping[str, str]] = field(default_factory=dict)
    """By field: the sheet's own words → the names of the code table."""
    source: str = "sheet"


def read_roster(table: Table, mapping: Mapped, options: SheetOptions) -> Roster:
    """Everybody in the table; rows with an error are only in the findings."""
    findings = Findings(table)
    for wanted in missing(mapping):
        findings.add(Kind.COLUMN_MISSING, None, expected=wanted.value)
    for column in twice(mapping):
        findings.add(Kind.COLUMN_TWICE, table.header_line, (column,))
    for column, target in enumerate(mapping):
        if target is None and any(row.cells[column] for row in table.rows):
            findings.add(Kind.COLUMN_UNKNOWN, table.header_line, (column,))
    reader = _Reader(table, mapping, options, findings)
    if not missing(mapping):
        for row in table.rows:
            reader.read(row)
    homerooms, students = reader.finish()
    return Roster(
        options.source,
        homerooms,
        students,
        findings.all(),
        school_year=options.school.school_year,
    )


_SEXES: Final = {"男": Sex.MALE, "女": Sex.FEMALE, "未知": Sex.UNKNOWN}
_STATUSES: Final = {
    "在读": Status.ENROLLED,
    "休学": Status.SUSPENDED,
    "停学": Status.SUSPENDED,
    "转出": Status.TRANSFERRED,
    "退学": Status.TRANSFERRED,
    "毕业": Status.GRADUATED,
    "结业": Status.GRADUATED,
}
_BOARDS: Final = {"住校": True, "是": True, "走读": False, "否": False, "借宿": False}
_LODGING: Final = codes.LODGING.and_words(
    {word: name for word, name in codes.YES_NO.by_name.items() if name in {"是", "否"}}
)
"""A column may ask 就读方式 or 是否住校."""
_CHECKED_ONLY: Final = {
    Field.NATION: codes.NATION,
    Field.HEALTH: codes.HEALTH,
    Field.BLOOD: codes.BLOOD,
    Field.FROM_OUTSIDE: codes.FROM_OUTSIDE,
}
"""Columns that are not kept; what no table knows in them is said all the same."""
_NUMBER: Final = re.compile(r"[\w\-./]{1,32}")
_REGISTRY: Final = re.compile(r"[0-9A-Z]{8,32}")
_IDENTITY_INSIDE: Final = re.compile(r"[A-Z]?(\d{17}[\dX])")
_CARD: Final = re.compile(r"[0-9A-Fa-f][0-9A-Fa-f :,\-]{2,30}[0-9A-Fa-f]")


class _Reader:
    """Reads the rows of one table."""

    def __init__(
        self, table: Table, mapping: Mapped, options: SheetOptions, findings: Findings
    ) -> None:
        self._file = table.file
        self._options = options
        self._findings = findings
        self._cells = Cells(table, mapping, findings)
        self._words = options.words
        self._guardians = GuardianReader(
            self._cells,
            findings,
            options.countries,
            options.words.get(Field.GUARDIAN_RELATION, {}),
        )
        self._rooms = Rooms()
        self._duplicates = Duplicates(findings)
        self._read: list[tuple[StudentEntry, int]] = []

    def read(self, row: Row) -> None:
        """Keep the student of a row, or say what is wrong with it."""
        if self._cells.is_empty(row):
            return
        number, name = self._number(row), self._name(row)
        room = self._room(row)
        identity = self._identity(row)
        registry, card = self._registry(row), self._card(row)
        entry = StudentEntry(
            file=self._file,
            line=row.line,
            number=number,
            name=name,
            homeroom="",
            sex=self._sex(row, identity),
            born_on=self._born_on(row, identity),
            status=_STATUSES.get(self._code(row, Field.STATUS, codes.STATUS) or ""),
            is_boarding=_BOARDS.get(self._code(row, Field.LODGING, _LODGING) or ""),
            identity=identity.number if identity else None,
            registry=registry,
            guardians=self._guardians.read(row, name),
            card_number=card,
        )
        self._check_only(row)
        self._check_twice(row, entry)
        if room is not None:
            self._read.append((entry, room))

    def finish(self) -> tuple[tuple[HomeroomEntry, ...], tuple[StudentEntry, ...]]:
        """The homerooms, and the students with their homerooms' names."""
        names = self._rooms.names()
        students = [
            replace(entry, homeroom=names[room])
            for entry, room in self._read
            if entry.line not in self._findings.spoilt
        ]
        return self._rooms.entries(), tuple(students)

    def _number(self, row: Row) -> str:
        columns = self._cells.columns(Field.NUMBER)
        written = self._cells.text(row, Field.NUMBER)
        number = "".join(unicodedata.normalize("NFKC", written).split())
        if not number:
            if row.line not in self._findings.spoilt:
                self._findings.add(Kind.NUMBER_MISSING, row.line, columns)
        elif (inside := _IDENTITY_INSIDE.fullmatch(number.upper())) and _is_identity(inside[1]):
            self._findings.add(Kind.NUMBER_IS_IDENTITY, row.line, columns, mask(number))
        elif not _NUMBER.fullmatch(number):
            self._findings.add(Kind.NUMBER_SHAPE, row.line, columns, number)
        return number

    def _name(self, row: Row) -> str:
        columns = self._cells.columns(Field.NAME)
        name = clean_name(self._cells.text(row, Field.NAME))
        if not name:
            self._findings.add(Kind.NAME_MISSING, row.line, columns)
        elif len(name) > LONGEST:
            self._findings.add(Kind.NAME_TOO_LONG, row.line, columns, name, str(LONGEST))
        elif is_lost(name):
            self._findings.add(Kind.NAME_LOST, row.line, columns, name)
        elif is_odd(name):
            self._findings.add(Kind.NAME_ODD, row.line, columns, name)
        return name

    def _room(self, row: Row) -> int | None:
        written, grade = self._cells.text(row, Field.HOMEROOM), self._cells.text(row, Field.GRADE)
        stage, entered = self._cells.text(row, Field.STAGE), self._cells.text(row, Field.ENTERED)
        campus = clean_name(self._cells.text(row, Field.CAMPUS))
        try:
            room = read_homeroom(written, grade, stage, entered, self._options.school)
        except HomeroomError as error:
            columns = [
                *self._cells.columns(Field.GRADE),
                *self._cells.columns(Field.HOMEROOM),
            ]
            value = f"{grade} {written}".strip()
            self._findings.add(error.kind, row.line, columns, value)
            return None
        return self._rooms.add(room, campus)

    def _identity(self, row: Row) -> IdentityNumber | None:
        written = self._cells.text(row, Field.IDENTITY)
        paper = self._code(row, Field.PAPER, codes.PAPER)
        if not written:
            return None
        is_checked = paper is None or paper in codes.CHECKED_PAPERS
        columns = self._cells.columns(Field.IDENTITY)
        try:
            read = read_identity(written, Paper.IDENTITY_CARD if is_checked else Paper.OTHER)
        except IdentityError as error:
            self._findings.add(error.kind, row.line, columns, mask(written))
            return None
        for kind in read.warnings:
            self._findings.add(kind, row.line, columns, mask(written))
        return read

    def _born_on(self, row: Row, identity: IdentityNumber | None) -> date | None:
        """As the column says; as the identity number says where the column says nothing."""
        written = self._cells.text(row, Field.BORN_ON)
        by_identity = identity.born_on if identity else None
        if not written:
            return by_identity
        columns = self._cells.columns(Field.BORN_ON)
        try:
            born_on = read_date(written)
        except DateError as error:
            if error.kind is Kind.DATE_INVALID or by_identity is None:
                self._findings.add(error.kind, row.line, columns, written)
            return by_identity
        if by_identity is not None and by_identity != born_on:
            self._findings.add(Kind.IDENTITY_OTHER_BIRTH, row.line, columns)
        age = self._options.school.school_year - born_on.year
        if not 3 <= age <= 25:
            self._findings.add(Kind.BORN_UNLIKELY, row.line, columns, written)
        return born_on

    def _sex(self, row: Row, identity: IdentityNumber | None) -> Sex | None:
        sex = _SEXES.get(self._code(row, Field.SEX, codes.SEX) or "")
        by_identity = identity.sex if identity else None
        if sex in {None, Sex.UNKNOWN}:
            return by_identity or sex
        if by_identity is not None and by_identity is not sex:
            self._findings.add(Kind.IDENTITY_OTHER_SEX, row.line, self._cells.columns(Field.SEX))
        return sex

    def _registry(self, row: Row) -> str | None:
        written = self._cells.text(row, Field.REGISTRY)
        registry = "".join(unicodedata.normalize("NFKC", written).upper().split())
        if registry and not _REGISTRY.fullmatch(registry):
            columns = self._cells.columns(Field.REGISTRY)
            self._findings.add(Kind.REGISTRY_SHAPE, row.line, columns, mask(written))
            return None
        return registry or None

    def _card(self, row: Row) -> str | None:
        card = unicodedata.normalize("NFKC", self._cells.text(row, Field.CARD)).strip()
        if card and not _CARD.fullmatch(card):
            columns = self._cells.columns(Field.CARD)
            self._findings.add(Kind.CARD_SHAPE, row.line, columns, card)
            return None
        return card or None

    def _code(self, row: Row, asked: Field, table: CodeTable) -> str | None:
        """The name that a code column holds; None for nothing and for what is unknown."""
        written = self._cells.text(row, asked)
        if not written:
            return None
        own = self._words.get(asked)
        name = (table.and_words(own) if own else table).read(written)
        if name is None:
            columns = self._cells.columns(asked)
            self._findings.add(Kind.CODE_UNKNOWN, row.line, columns, written)
        return name

    def _check_only(self, row: Row) -> None:
        for asked, table in _CHECKED_ONLY.items():
            self._code(row, asked, table)
        for written in self._cells.texts(row, Field.REGION):
            if codes.read_region(written) is None:
                columns = self._cells.columns(Field.REGION)
                self._findings.add(Kind.CODE_UNKNOWN, row.line, columns, written)

    def _check_twice(self, row: Row, entry: StudentEntry) -> None:
        for kind, asked, value, shown in (
            (Kind.NUMBER_TWICE, Field.NUMBER, entry.number, entry.number),
            (Kind.IDENTITY_TWICE, Field.IDENTITY, entry.identity, mask(entry.identity or "")),
            (Kind.REGISTRY_TWICE, Field.REGISTRY, entry.registry, mask(entry.registry or "")),
            (Kind.CARD_TWICE, Field.CARD, entry.card_number, entry.card_number or ""),
        ):
            if value:
                self._duplicates.check(kind, row.line, self._cells.columns(asked), value, shown)


def _is_identity(number: str) -> bool:
    """Whether it is an identity number, if need be one with a slip in it."""
    try:
        read_identity(number)
    except IdentityError as error:
        return error.kind is Kind.IDENTITY_CHECKSUM
    return True
