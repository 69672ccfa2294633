"""What a person has said about a file: how it is to be read, and what was mended in it."""

import msgspec
from msgspec import Struct

from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from schema.tables.roster import RosterSource


class Cell(Struct, frozen=True):
    """A cell that was written anew."""

    line: int
    column: int
    """From 0."""
    text: str


class Choices(Struct, frozen=True):
    """All of it; where nothing was said, what the file itself tells counts."""

    encoding: str | None = None
    sheet: str | None = None
    profile: str | None = None
    """Of a register system (CMIS)."""
    targets: tuple[str | None, ...] | None = None
    """What each column means, by its key."""
    stages: tuple[int, ...] | None = None
    """The first grades of the school's stages: 1, 7, 10."""
    cells: tuple[Cell, ...] = ()
    without: tuple[int, ...] = ()
    """Lines that are left out."""
    school: str | None = None
    """Which of a package's schools this is."""
    every_class: bool = False
    """Whether all classes of a package are homerooms."""
    leaves_out: bool = False
    """Whether students without a homeroom are left out."""
    valid_today: bool = False
    """Whether only enrolments count that are in force today."""
    grades: dict[str, int] = {}
    """The source's id of a homeroom → its grade, where the package does not say it."""


class StagedFile(Struct, frozen=True):
    """A file and how it is to be read."""

    source: RosterSource
    name: str
    body: bytes
    choices: Choices = Choices()


def read_grades(written: str) -> dict[str, int]:
    """Grades as people write them: `id=7, id=8`. Raises FieldsError."""
    wrong = Problems()
    grades: dict[str, int] = {}
    for pair in filter(None, (one.strip() for one in written.replace("\n", ",").split(","))):
        id_, equals, grade = pair.rpartition("=")
        if equals and grade.strip() in _GRADES:
            grades[id_.strip()] = int(grade)
        else:
            wrong.add("grades", _("Write each as id=grade, with a grade from 1 to 12."))
    wrong.refuse()
    return grades


_GRADES = {str(grade) for grade in range(1, 13)}


def write_choices(choices: Choices) -> bytes:
    """As they are kept."""
    return msgspec.json.encode(choices)


def read_choices(written: bytes) -> Choices:
    """What write_choices was given."""
    return msgspec.json.decode(written, type=Choices)
