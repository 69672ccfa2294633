"""A roster out of a file of any kind, by what the file tells and what a person has said of it."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from card_server.imports.roster.choices import Choices, StagedFile
from integrations.roster.cmis import Profile, options_of, profiles
from integrations.roster.oneroster.csv_reader import SchoolChoice, list_schools, read_csv
from integrations.roster.oneroster.options import HomeroomRule, Options
from integrations.roster.protocol import Roster
from integrations.roster.sheets.columns import Mapped, Proposal, propose
from integrations.roster.sheets.fields import Target, plain, read_target
from integrations.roster.sheets.files import Table, mend, read_table
from integrations.roster.sheets.grid import SheetError
from integrations.roster.sheets.homerooms import School
from integrations.roster.sheets.students import SheetOptions, read_roster
from schema.tables.roster import RosterSource

STAGES: Final = (1, 7, 10)
_FEWEST_OWN: Final = 3
"""A profile is recognised by as many columns of its own, all of which are there."""


class SchoolFacts(Struct, frozen=True):
    """What files do not say of the school."""

    school_year: int
    today: date
    grades: tuple[int, ...] = ()
    """Of its homerooms."""
    countries: tuple[str, ...] = ("CN",)
    """Whose phone numbers are taken, its own first."""

    @property
    def stages(self) -> tuple[int, ...]:
        """The first grade of each stage that the school has; of a new school all."""
        first = {1 if grade < 7 else 7 if grade < 10 else 10 for grade in self.grades}
        return tuple(sorted(first)) or STAGES


class Reading(Struct, frozen=True):
    """What was read."""

    roster: Roster
    table: Table | None = None
    """Of a sheet that could be opened, as it is with what was mended."""
    columns: tuple[Proposal, ...] = ()
    mapping: Mapped = ()
    profile: str | None = None
    schools: tuple[SchoolChoice, ...] = ()
    """Of a package with several."""


Known = Callable[[], Roster]
"""The school as a roster, asked only for what is laid over it."""
Remember = Callable[[Sequence[str]], tuple[str | None, ...] | None]
"""What columns with this header meant the last time."""


def recognise(body: bytes) -> RosterSource:
    """What a file is, by its bytes: a zip with a package's tables in it, else a sheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = {name.rsplit("/", 1)[-1].lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return RosterSource.SHEET
    is_package = bool(names & {"users.csv", "orgs.csv", "manifest.csv", "enrollments.csv"})
    return RosterSource.ONEROSTER if is_package else RosterSource.SHEET


def read(file: StagedFile, facts: SchoolFacts, known: Known, remember: Remember) -> Reading:
    """The roster and how it was read. What cannot be opened is a roster of one finding."""
    if file.source is RosterSource.FETCHED:
        return Reading(msgspec.json.decode(file.body, type=Roster))
    if file.source is RosterSource.ONEROSTER:
        return _read_package(file, facts, known)
    reading = look(file, remember)
    if reading.table is None:
        return reading
    options = SheetOptions(
        School(facts.school_year, file.choices.stages or facts.stages), countries=facts.countries
    )
    if reading.profile is not None:
        options = options_of(profiles()[reading.profile], options)
    return replace(reading, roster=read_roster(reading.table, reading.mapping, options))


def look(file: StagedFile, remember: Remember) -> Reading:
    """The sheet and what its columns mean, without anybody in it."""
    choices = file.choices
    try:
        table = read_table(file.body, file.name, encoding=choices.encoding, sheet=choices.sheet)
    except SheetError as error:
        return Reading(Roster("sheet", (), (), (error.finding,)))
    cells = {(one.line, one.column): one.text for one in choices.cells}
    table = mend(table, cells, set(choices.without))
    profile = find_profile(choices.profile, table.header)
    columns = tuple(propose(table.header, profile.targets() if profile else None))
    mapping = _mapping(choices, columns, remember(table.header))
    name = profile.name if profile else None
    return Reading(Roster("sheet", (), (), ()), table, columns, mapping, name)


def find_profile(named: str | None, header: Sequence[str]) -> Profile | None:
    """The profile that was chosen, or else the one whose own columns are all there."""
    if named is not None:
        return profiles().get(named)
    there = {plain(name) for name in header}
    for profile in profiles().values():
        own = profile.targets().keys()
        if len(own) >= _FEWEST_OWN and own <= there:
            return profile
    return None


def _mapping(
    choices: Choices,
    columns: Sequence[Proposal],
    remembered: tuple[str | None, ...] | None,
) -> Mapped:
    """What a person said, now or of a sheet with the same columns; else what is proposed."""
    said = choices.targets or remembered
    if said is not None and len(said) == len(columns):
        return tuple(_target(key) for key in said)
    return tuple(one.target for one in columns)


def _target(key: str | None) -> Target | None:
    try:
        return read_target(key) if key else None
    except ValueError:
        return None


def _read_package(file: StagedFile, facts: SchoolFacts, known: Known) -> Reading:
    choices = file.choices
    options = Options(
        school=choices.school,
        homerooms=HomeroomRule.EVERY_CLASS if choices.every_class else HomeroomRule.BY_CLASS_TYPE,
        leaves_out_without_homeroom=choices.leaves_out,
        on=facts.today if choices.valid_today else None,
        grades=choices.grades,
        countries=facts.countries,
        encoding=choices.encoding or "utf-8-sig",
    )
    roster = read_csv(io.BytesIO(file.body), options)
    if not roster.is_whole:
        roster = read_csv(io.BytesIO(file.body), replace(options, known=known()))
    schools = list_schools(io.BytesIO(file.body), options)
    return Reading(roster, schools=schools if len(schools) > 1 else ())
