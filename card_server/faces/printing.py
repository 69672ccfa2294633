"""Card faces as a document: for a card printer, or on A4 sheets to be cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final

from card_server.faces.drawing import (
    LONG_MM,
    SHORT_MM,
    Face,
    Issuer,
    card_size,
    draw_back,
    draw_front,
    open_pdf,
)

if TYPE_CHECKING:
    from fpdf import FPDF

A4_MM: Final = (210.0, 297.0)
_ACROSS: Final = 2
_DOWN: Final = 5
_GAP: Final = 4.0
"""Between cards: room for the marks."""
_MARK: Final = 1.4
_SAY_EACH: Final = 20


class Output(StrEnum):
    """What the document is for."""

    CARDS = "cards"
    """A card printer: one page a side, in the size of the card."""
    SHEETS = "sheets"
    """A4 with crop marks, ten to a sheet; each sheet of fronts is followed by its backs."""


def print_faces(
    output: Output,
    issuer: Issuer,
    faces: Iterable[Face],
    progress: Callable[[int], None] = lambda _: None,
) -> bytes:
    """The PDF. `progress` hears how many cards are drawn, now and then."""
    make = _print_cards if output is Output.CARDS else _print_sheets
    pdf = make(issuer, _told(faces, progress))
    pdf.set_title(issuer.school)
    return bytes(pdf.output())


def _told(faces: Iterable[Face], progress: Callable[[int], None]) -> Iterable[Face]:
    for number, face in enumerate(faces, 1):
        yield face
        if number % _SAY_EACH == 0:
            progress(number)


def _print_cards(issuer: Issuer, faces: Iterable[Face]) -> FPDF:
    pdf = open_pdf(*card_size(issuer.design))
    for face in faces:
        pdf.add_page()
        draw_front(pdf, 0, 0, face, issuer)
        pdf.add_page()
        draw_back(pdf, 0, 0, issuer)
    return pdf


def _print_sheets(issuer: Issuer, faces: Iterable[Face]) -> FPDF:
    """Upright cards lie on a sheet that lies: the same ten places, turned."""
    is_landscape = issuer.design.is_landscape
    pdf = open_pdf(*(A4_MM if is_landscape else A4_MM[::-1]))
    coming = iter(faces)
    while sheet := list(islice(coming, _ACROSS * _DOWN)):
        places = list(_places(is_landscape))[: len(sheet)]
        pdf.add_page()
        for face, place in zip(sheet, places, strict=True):
            draw_front(pdf, *place, face, issuer)
        _draw_marks(pdf, places, issuer)
        pdf.add_page()
        width, _ = card_size(issuer.design)
        backs = [(pdf.w - x - width, y) for x, y in places]
        for place in backs:
            draw_back(pdf, *place, issuer)
        _draw_marks(pdf, backs, issuer)
    return pdf


def _places(is_landscape: bool) -> Iterable[tuple[float, float]]:
    """The upper left corners of the ten places, row by row."""
    long = [_place(A4_MM[0], LONG_MM, _ACROSS, number) for number in range(_ACROSS)]
    short = [_place(A4_MM[1], SHORT_MM, _DOWN, number) for number in range(_DOWN)]
    across, down = (long, short) if is_landscape else (short, long)
    return ((x, y) for y in down for x in across)


def _place(paper: float, card: float, many: int, number: int) -> float:
    margin = (paper - many * card - (many - 1) * _GAP) / 2
    return margin + number * (card + _GAP)


def _draw_marks(pdf: FPDF, places: Sequence[tuple[float, float]], issuer: Issuer) -> None:
    """Where to cut, beside each corner and never on the card."""
    width, height = card_size(issuer.design)
    pdf.set_draw_color(0, 0, 0)
    pdf.set_line_width(0.1)
    for x, y in places:
        for across, away in ((x, -1), (x + width, 1)):
            for down, off in ((y, -1), (y + height, 1)):
                pdf.line(across + away * 0.4, down, across + away * (0.4 + _MARK), down)
                pdf.line(across, down + off * 0.4, across, down + off * (0.4 + _MARK))
