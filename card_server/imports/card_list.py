"""A list of card numbers that another system or the maker wrote, and the ways to read it.

A line has the card's number and, if it is to be given out at once, a student number; what is
printed on the card may stand beside. Columns are known by the words over them, or by their order.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from card_server.cards.notations import CardNumber, Notation, read_number
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from integrations.roster.sheets.grid import SheetError
from integrations.roster.sheets.text import decode, read_text
from integrations.roster.sheets.workbook import COMPOUND, ZIP, Workbook

MOST_LINES: Final = 5_000
_LINE: Final = "#line"
"""Over the numbers of the lines in a list that a page carries."""
_COLUMNS: Final = {
    "number": ("卡号", "卡片号", "物理卡号", "芯片号", "card", "card number", "uid", "number"),
    "student": ("学号", "学生编号", "student number", "student"),
    "label": ("标签", "编号", "印刷号", "卡面号", "label"),
    _LINE: (_LINE,),
}
_THREE: Final = re.compile(r"[0-9]{1,3}")
_FIVE: Final = re.compile(r"[0-9]{5}")
_ORDER: Final = ("number", "student", "label")


class CardLine(NamedTuple):
    """One line as it was written; `line` as a spreadsheet counts it."""

    line: int
    number: str
    student: str = ""
    label: str = ""


class UnreadableError(Exception):
    """A file that is no list; the finding's kind, value and expectation say why."""

    def __init__(self, kind: str, value: str, expected: str) -> None:
        super().__init__(kind)
        self.kind, self.value, self.expected = kind, value, expected


class Way(NamedTuple):
    """One notation, and what the list is by it."""

    notation: Notation
    readable: int
    """How many lines are a number by it."""
    lines: int
    first: str
    """What the first line is by it, for people to compare."""
    found_at: int | None
    """The line that is the card which was tapped."""

    @property
    def is_possible(self) -> bool:
        """Whether the whole list can be read so."""
        return self.readable == self.lines


def read_file(body: bytes, name: str) -> list[CardLine]:
    """The lines of a workbook's first sheet, or of a text in any encoding that is certain.

    Raises UnreadableError; AppError(INVALID) for a file without numbers or with too many.
    """
    try:
        return _lines_of(_rows_of(body, name))
    except SheetError as error:
        found = error.finding
        raise UnreadableError(found.kind, found.value, found.expected) from error


def _rows_of(body: bytes, name: str) -> list[list[str]]:
    if body.startswith((ZIP, COMPOUND)):
        book = Workbook(body, name)
        return book.read(book.sheets[0]).rows
    words = {word for words in _COLUMNS.values() for word in words}
    return read_text(decode(body, name, None, words)[0], name).rows


def read_pasted(text: str) -> list[CardLine]:
    """The lines that somebody pasted. Raises AppError(INVALID)."""
    try:
        return _lines_of(read_text(text, "list").rows)
    except SheetError as error:
        raise AppError(
            Code.INVALID, "The list cannot be read: a quotation mark has no end."
        ) from error


def write_plain(lines: Sequence[CardLine]) -> str:
    """The same lines as text, for a page to carry."""
    head = "\t".join((_LINE, "card number", "student number", "label"))
    return "\n".join([head, *("\t".join(map(str, line)) for line in lines)])


def _lines_of(rows: Sequence[Sequence[str]]) -> list[CardLine]:
    """The lines below a header, if there is one."""
    rows = _with_commas(rows)
    columns: dict[str, int] = dict(zip(_ORDER, range(3), strict=True))
    found: list[CardLine] = []
    for line, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        header = _header(cells) if not found else {}
        if header:
            columns = header
            continue
        carried = _cell(cells, columns.get(_LINE))
        number = int(carried) if carried.isascii() and carried.isdigit() else line
        found.append(CardLine(number, *(_cell(cells, columns.get(name)) for name in _ORDER)))
    if not found:
        raise AppError(Code.INVALID, "There is no card number in this list.")
    if len(found) > MOST_LINES:
        raise AppError(Code.INVALID, "The list has more than 5,000 lines. Cut it into parts.")
    return found


def _with_commas(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """A list of nothing but 3 and 5 digits with a comma between was cut at that comma."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    are_halves = all(
        len(row) == 2 and _THREE.fullmatch(row[0].strip()) and _FIVE.fullmatch(row[1].strip())
        for row in filled
    )
    return [[",".join(row)] if any(row) else [] for row in rows] if are_halves else rows


def _header(cells: Sequence[str]) -> dict[str, int]:
    """Which column is which, if this row has a name for the numbers."""
    names = [cell.lower() for cell in cells]
    found = {
        column: next((at for at, name in enumerate(names) if name in words), None)
        for column, words in _COLUMNS.items()
    }
    known = {column: at for column, at in found.items() if at is not None}
    return known if "number" in known else {}


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""


def find_ways(lines: Sequence[CardLine], tapped: str = "") -> list[Way]:
    """Every notation by which some line is a number; `tapped` is a card held to a reader. Pure."""
    ways = [_way(lines, notation, tapped) for notation in Notation]
    return [way for way in ways if way.readable]


def _way(lines: Sequence[CardLine], notation: Notation, tapped: str) -> Way:
    readable, first, found_at = 0, "", None
    for line in lines:
        number = number_of(line, notation)
        if isinstance(number, str):
            continue
        readable += 1
        first = first or number.hex
        is_it = number.hex == tapped if number.is_whole else tapped.startswith(number.hex)
        if tapped and found_at is None and is_it:
            found_at = line.line
    return Way(notation, readable, len(lines), first, found_at)


def number_of(line: CardLine, notation: Notation) -> CardNumber | str:
    """The line's number, or a sentence (English, to be translated) that says why it is none."""
    try:
        return read_number(line.number, notation)
    except ValueError as error:
        return str(error)


FAULTS: Final = (
    _("the card number is missing"),
    _("the card number has lost digits in a spreadsheet; export it as text"),
    _("the card number is not 8, 14 or 20 hex digits"),
    _("the card number is not 10 digits of a four-byte number"),
    _("the card number is not 3 and 5 digits of a three-byte number"),
    _("the card number is not 26 bits"),
    _("the card number is not 34 bits"),
    _("the card number has a wrong parity bit"),
)
"""What `number_of` may say, so that each has a translation."""


def lost_digits(lines: Sequence[CardLine]) -> list[int]:
    """The lines whose number a spreadsheet has spoilt: no notation reads them. Pure."""
    return [line.line for line in lines if number_of(line, Notation.HEX) == FAULTS[1]]
