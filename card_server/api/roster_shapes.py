"""Rosters on their way in, as the API takes and gives them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, WithJsonSchema

from card_server.api.inputs import IdCursor, Limit, RowId, SentGrade, Taken, storable
from card_server.api.shapes import Next, Shape
from card_server.imports.roster.brake import Brake
from card_server.imports.roster.columns import ENCODINGS, list_profiles, list_targets
from card_server.imports.roster.reading import STAGES
from schema.tables.jobs import JobState
from schema.tables.roster import RosterSource, RosterState

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_MOST_COLUMNS = 500
_PROFILES = [name for name, _title in list_profiles()]
_TARGETS = list_targets()


def _among(*choices: object) -> AfterValidator:
    def check(value: object) -> object:
        if value not in choices:
            raise ValueError("none of these")
        return value

    return AfterValidator(check)


_Encoding = Annotated[
    str, _among(*ENCODINGS), WithJsonSchema({"type": "string", "enum": list(ENCODINGS)})
]
_Profile = Annotated[str, _among(*_PROFILES), WithJsonSchema({"type": "string", "enum": _PROFILES})]
_Key = Annotated[str, _among(*_TARGETS), WithJsonSchema({"type": "string", "enum": _TARGETS})]
_Stage = Annotated[
    int,
    Field(strict=True),
    _among(*STAGES),
    WithJsonSchema({"type": "integer", "enum": list(STAGES)}),
]
_Stages = Annotated[
    list[_Stage],
    Field(max_length=3, description="The first grades of the school's stages: 1, 7, 10."),
]
_Name = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Text = Annotated[str, Field(max_length=1000, json_schema_extra=_NO_NUL), AfterValidator(storable)]
_Line = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class ImportPath(Taken):
    """Which import."""

    import_id: RowId


class ListQuery(Taken):
    """Which part of a list of the comparison."""

    limit: Limit = 50
    cursor: IdCursor | None = None


class HowOpened(Taken):
    """How a sheet is to be opened; null leaves encoding, sheet and stages as they are."""

    encoding: _Encoding | None = None
    sheet: _Name | None = None
    profile: _Profile | None = Field(
        default=None, description="A register system whose columns these are; null is none."
    )
    stages: _Stages = []


class ColumnMeanings(Taken):
    """What each column of the sheet means, in order; null means nothing that is taken in."""

    columns: Annotated[list[_Key | None], Field(min_length=1, max_length=_MOST_COLUMNS)]
    stages: _Stages = []


class PackageReading(Taken):
    """How a OneRoster package is to be read."""

    school: _Name | None = Field(
        default=None, description="Which of its schools this is, by the package's own id."
    )
    every_class: StrictBool = Field(default=False, description="All classes are homerooms.")
    leaves_out: StrictBool = Field(
        default=False, description="Students without a homeroom are left out."
    )
    valid_today: StrictBool = Field(
        default=False, description="Only enrolments count that are in force today."
    )
    grades: dict[_Name, SentGrade] = Field(
        default={}, description="The package's id of a homeroom, and its grade."
    )


class MendedCell(Taken):
    """A cell to be written anew."""

    line: _Line
    column: Annotated[int, Field(strict=True, ge=0, lt=_MOST_COLUMNS)]
    text: _Text


class Mending(Taken):
    """Cells to be written anew, and lines to be left out."""

    cells: list[MendedCell] = []
    without: list[_Line] = []


class Consent(Taken):
    """Which difference is meant, and whether very much may be gone or changed."""

    seen: Annotated[
        str, Field(pattern=r"^[0-9a-f]{64}$", description="`seen` of the comparison, as it was.")
    ]
    yes: StrictBool = Field(default=False, description="Needed where `brakes` names anything.")


class RosterCounts(Shape):
    """How much an import changed, or would change."""

    new: int
    changed: int
    moved: int
    back: int
    gone: int
    unchanged: int
    homerooms_new: int
    homerooms_changed: int
    guardians_new: int
    guardians_changed: int


class RosterSchool(Shape):
    """One of a package's schools."""

    id: str
    name: str


class Comparison(Shape):
    """A roster against the school, as it was when they were compared."""

    seen: str = Field(description="What tells this comparison from another.")
    is_whole: bool = Field(description="Whether who is not named is gone.")
    school_year: int
    students: int = Field(description="How many the roster names.")
    enrolled: int = Field(description="How many the school had.")
    encoding: str | None
    sheet: str | None
    profile: str | None
    errors: int = Field(description="Findings that stop the import.")
    warnings: int
    brakes: list[Brake] = Field(description="What a `yes` is needed for.")
    schools: list[RosterSchool]


class RosterImport(Shape):
    """A roster that was handed in; its contents are kept for a day, or until it is done."""

    id: int
    state: RosterState
    source: RosterSource
    file_name: str
    file_bytes: int
    sha256: str = Field(description="Of the file, in hex.")
    made_by_name: str
    made_at: datetime
    expires_at: datetime
    finished_at: datetime | None
    job_id: int | None = Field(description="What is being done with it, or was last: /jobs/{id}.")
    job_state: JobState | None
    counts: RosterCounts | None = Field(description="Null until it has been compared.")
    comparison: Comparison | None = Field(description="Null while there is none.")


class RosterImports(Shape):
    """The newest imports, 50 at most."""

    items: list[RosterImport]


class SheetColumn(Shape):
    """A column, examples with personal numbers masked, and what it seems to mean."""

    column: int = Field(description="From 0.")
    header: str
    examples: list[str]
    key: str = Field(description="Empty: nobody knows yet.")
    sureness: str = Field(description="`sure`, `likely`, `unknown`, or `said` by somebody.")
    rival: str = Field(description="The header of a column that seems to mean the same.")


class SheetColumns(Shape):
    """A sheet as it is opened; without columns it cannot be read like this: `faults` say why."""

    encoding: str | None
    sheet: str | None
    sheets: list[str]
    profile: str | None
    columns: list[SheetColumn]
    faults: list[str]


class RosterCell(Shape):
    """A cell that a finding is about."""

    column: int
    header: str
    value: str = Field(description="Masked, where it is a personal number.")
    is_personal: bool


class RosterFinding(Shape):
    """What is wrong in one row; errors stop the import."""

    kind: str
    is_error: bool
    file: str
    line: int | None
    field: str
    value: str
    message: str = Field(description="A sentence in the language that is asked for.")
    cells: list[RosterCell]


class RosterFindings(Shape):
    """A part of the findings, errors first."""

    seen: str | None = Field(description="Begin anew when it is another: it was compared again.")
    items: list[RosterFinding]
    next: Next


class RosterChange(Shape):
    """One thing that becomes another; of personal numbers the last digits."""

    field: str
    before: str
    after: str


class RosterStudent(Shape):
    """A student who is new, changed or gone; `line` is null for who is gone."""

    id: int | None
    line: int | None
    number: str
    name: str
    homeroom: str
    changes: list[RosterChange]


class RosterStudents(Shape):
    """A part of the students who are new, changed or gone."""

    seen: str | None
    items: list[RosterStudent]
    next: Next


class RosterHomeroom(Shape):
    """A homeroom that is new, which has no changes, or changed."""

    name: str
    grade: int
    campus: str
    changes: list[RosterChange]


class RosterHomerooms(Shape):
    """A part of the homerooms that are new or changed."""

    seen: str | None
    items: list[RosterHomeroom]
    next: Next
