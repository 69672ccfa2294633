"""Exchange with a school-register system (学籍系统, CMIS) by a named profile: the register in.

A profile is a small TOML file: what the register's columns mean, and what the sheets are called
that go back to it (`cmis_sheets.py` writes them). `profiles/` has those that come with us.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from integrations.roster.protocol import Roster
from integrations.roster.sheets.columns import mapping_of, propose
from integrations.roster.sheets.fields import Field, Target, plain, read_target
from integrations.roster.sheets.files import Table, read_table
from integrations.roster.sheets.students import SheetOptions, read_roster

SOURCE: Final = "cmis"
_FOLDER: Final = Path(__file__).parent / "profiles"


class Register(Struct, frozen=True, forbid_unknown_fields=True):
    """How the register's sheet is read."""

    columns: dict[str, str] = field(default_factory=dict)
    """Header → key of what it means; the usual names need no line here."""
    words: dict[Field, dict[str, str]] = field(default_factory=dict)
    """By field: the register's own words → the names of the code tables."""
    encoding: str | None = None
    """Of its texts, where that alone does not tell."""


class OutSheet(Struct, frozen=True, forbid_unknown_fields=True):
    """A sheet that goes to the register."""

    title: str
    columns: list[tuple[str, str]]
    """Header and what stands under it, in order."""
    words: dict[str, str] = field(default_factory=dict)
    """Results → the register's words for them."""


class Writing(Struct, frozen=True, forbid_unknown_fields=True):
    """How values are written."""

    date: str = "%Y-%m-%d"
    time: str = "%H:%M"
    encoding: str = "gbk"
    """Of CSV."""


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """One register system."""

    name: str
    title: str
    register: Register
    cards: OutSheet
    attendance: OutSheet
    loans: OutSheet
    writing: Writing = field(default_factory=Writing)

    def targets(self) -> dict[str, Target]:
        """What the profile's own column names mean, by plain header."""
        columns = self.register.columns
        return {plain(header): read_target(key) for header, key in columns.items()}


class ProfileError(ValueError):
    """A profile that is not right; the text says where."""


@cache
def profiles() -> Mapping[str, Profile]:
    """The profiles that come with us, by name."""
    found = [read_profile(path) for path in sorted(_FOLDER.glob("*.toml"))]
    return {profile.name: profile for profile in found}


def read_profile(path: Path) -> Profile:
    """A profile of a file. Raises ProfileError."""
    try:
        with path.open("rb") as file:
            values = tomllib.load(file)
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path.name}: {error}") from error
    return make_profile(values)


def make_profile(values: dict[str, Any]) -> Profile:
    """A profile of plain values. Raises ProfileError."""
    try:
        profile = msgspec.convert(values, Profile)
        profile.targets()
        "".encode(profile.writing.encoding)
    except (msgspec.ValidationError, ValueError, LookupError) as error:
        raise ProfileError(str(error)) from error
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", profile.name):
        raise ProfileError(f"no name for a profile: {profile.name!r}")
    for sheet, fields in (
        (profile.cards, CARD_FIELDS),
        (profile.attendance, ATTENDANCE_FIELDS),
        (profile.loans, LOAN_FIELDS),
    ):
        for header, name in sheet.columns:
            if name not in fields:
                raise ProfileError(f"{header}: {name!r} is not one of {', '.join(fields)}")
    return profile


_STUDENT_FIELDS: Final = ("registry", "number", "name", "homeroom")
CARD_FIELDS: Final = (*_STUDENT_FIELDS, "card_number", "issued_on")
ATTENDANCE_FIELDS: Final = (*_STUDENT_FIELDS, "day", "result", "arrived_at", "left_at")
LOAN_FIELDS: Final = (
    *_STUDENT_FIELDS,
    "title",
    "isbn",
    "barcode",
    "lent_on",
    "due_on",
    "returned_on",
)
"""What may stand in each sheet; `cmis_sheets.py` has the rows with these fields."""


def read_register(
    body: bytes, file: str, profile: Profile, options: SheetOptions
) -> tuple[Table, Roster]:
    """The register's table and everybody in it, without a person choosing. Raises SheetError."""
    table = read_table(body, file, encoding=_encoding(body, profile))
    mapping = mapping_of(propose(table.header, profile.targets()))
    return table, read_roster(table, mapping, options_of(profile, options))


def options_of(profile: Profile, options: SheetOptions) -> SheetOptions:
    """A school's options with the profile's words."""
    words = {**options.words, **profile.register.words}
    return replace(options, words=words, source=SOURCE)


def _encoding(body: bytes, profile: Profile) -> str | None:
    """The profile's encoding for a text that is not UTF-8 by its mark, nor plainly another."""
    marked = body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    if marked or b"\0" in body[:4096]:
        return None
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return profile.register.encoding
    return None
