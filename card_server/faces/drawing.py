"""Drawing one card into a PDF: its front and its back, at a place on the page.

Size: ID-1 of ISO/IEC 7810, 85.60 mm by 53.98 mm (CR80).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

import segno
from PIL import Image, ImageOps, UnidentifiedImageError

from card_server.faces.design import Design
from card_server.faces.fonts import Font, split_runs
from schema.tables.card_faces import FaceField

if TYPE_CHECKING:
    from fpdf import FPDF

LONG_MM: Final = 85.60
SHORT_MM: Final = 53.98
_MARGIN: Final = 5.0
_SMALLEST_PT: Final = 6.0
_MM_PER_PT: Final = 25.4 / 72
_LEADING: Final = 1.15
_DOTS_PER_MM: Final = 300 / 25.4
_PIECES = re.compile(r"[!-~]+ ?|.[，。、；：！？）》」』”’]*", re.DOTALL)
"""A word of Latin letters stays together; Han break anywhere but before a closing mark."""


@dataclass(frozen=True)
class Face:
    """What stands on one student's card."""

    student_id: int
    name: str
    number: str
    homeroom: str
    photo: bytes | None


@dataclass(frozen=True)
class Issuer:
    """What stands on each card of the school."""

    school: str
    logo: bytes | None
    design: Design


@dataclass(frozen=True)
class Box:
    """A place on the page, in millimetres from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


def card_size(design: Design) -> tuple[float, float]:
    """Width and height of a card, in millimetres."""
    return (LONG_MM, SHORT_MM) if design.is_landscape else (SHORT_MM, LONG_MM)


def open_pdf(width: float, height: float) -> FPDF:
    """A document whose pages have this size, in millimetres.

    The library is loaded here: it takes most of a second, and few processes ever print.
    """
    from fpdf import FPDF

    pdf = FPDF(unit="mm", format=(width, height))
    pdf.set_margin(0)
    pdf.set_auto_page_break(False)
    pdf.set_creator("campus-card")
    return pdf


def draw_front(pdf: FPDF, x: float, y: float, face: Face, issuer: Issuer) -> None:
    """The front, with its upper left corner at this place."""
    design = issuer.design
    width, _ = card_size(design)
    band = Box(x, y, width, 13 if design.is_landscape else 14)
    _draw_band(pdf, band, issuer)
    if design.is_landscape:
        photo = Box(x + _MARGIN, y + 18, 22.5, 30)
        qr = Box(x + width - _MARGIN - 17, y + SHORT_MM - _MARGIN - 17, 17, 17)
        left = x + _MARGIN + (photo.width + 4 if design.has(FaceField.PHOTO) else 0)
        name = Box(left, y + 19, x + width - _MARGIN - left, 8)
        room = qr.x - left - 2 if design.has(FaceField.QR) else name.width
        lines = [Box(left, y + top, room, 5.5) for top in (31, 38)]
    else:
        photo = Box(x + _MARGIN, y + 19, 24, 32)
        qr = Box(x + width - _MARGIN - 15, y + 36, 15, 15)
        name = Box(x + _MARGIN, y + 55, width - 2 * _MARGIN, 8)
        lines = [Box(x + _MARGIN, y + top, width - 2 * _MARGIN, 5.5) for top in (66, 73)]
    if design.has(FaceField.PHOTO):
        _draw_photo(pdf, photo, face.photo)
    if design.has(FaceField.QR):
        _draw_qr(pdf, qr, face.number)
    draw_line(pdf, name, face.name, 17)
    texts = [face.homeroom] if design.has(FaceField.HOMEROOM) else []
    texts += [face.number] if design.has(FaceField.NUMBER) else []
    for line, text in zip(lines, texts, strict=False):
        draw_line(pdf, line, text, 11)


def draw_back(pdf: FPDF, x: float, y: float, issuer: Issuer) -> None:
    """The back: what the school says there, and a stripe of its colour with its name."""
    width, height = card_size(issuer.design)
    pdf.set_text_color(0, 0, 0)
    room = width - 2 * _MARGIN
    size = 9.0
    lines = list(_wrap(pdf, issuer.design.back_text, size, room))
    most = height - 24
    while len(lines) * size * _MM_PER_PT * 1.5 > most and size > _SMALLEST_PT:
        size -= 0.5
        lines = list(_wrap(pdf, issuer.design.back_text, size, room))
    step = size * _MM_PER_PT * 1.5
    for place, text in enumerate(lines):
        _write(pdf, x + _MARGIN, y + 8 + place * step + size * _MM_PER_PT, text, size)
    band = Box(x, y + height - 10, width, 10)
    _fill(pdf, band, issuer.design.colour)
    name = Box(x + _MARGIN, band.y + 2, room, 6)
    draw_line(pdf, name, issuer.school, 10, centred=True)
    pdf.set_text_color(0, 0, 0)


def draw_line(pdf: FPDF, box: Box, text: str, size: float, *, centred: bool = False) -> None:
    """A text as large as fits the box, on two lines where that is larger; never beyond it."""
    lines = _fit(pdf, box, text, size)
    step = lines.size * _MM_PER_PT * _LEADING
    top = box.y + (box.height - step * len(lines.texts)) / 2
    for place, line in enumerate(lines.texts):
        shift = (box.width - _width_of(pdf, line, lines.size)) / 2 if centred else 0
        _write(pdf, box.x + shift, top + (place + 0.85) * step, line, lines.size)


class _Lines(NamedTuple):
    texts: list[str]
    size: float


def _fit(pdf: FPDF, box: Box, text: str, size: float) -> _Lines:
    """The largest size at which the text fits; what fits at none is cut, with an ellipsis."""
    while size > _SMALLEST_PT:
        texts = list(_wrap(pdf, text, size, box.width)) or [""]
        is_low = len(texts) == 1 or len(texts) * size * _MM_PER_PT * _LEADING <= box.height
        if is_low and all(_width_of(pdf, one, size) <= box.width for one in texts):
            return _Lines(texts, size)
        size -= 0.5
    while text and _width_of(pdf, f"{text}…", size) > box.width:
        text = text[:-1]
    return _Lines([f"{text}…"], size)


def _draw_band(pdf: FPDF, band: Box, issuer: Issuer) -> None:
    _fill(pdf, band, issuer.design.colour)
    left = band.x + _MARGIN
    if issuer.logo and issuer.design.has(FaceField.LOGO):
        picture = _picture(issuer.logo, 9, 9, crop=False)
        if picture is not None:
            pdf.image(picture, left, band.y + (band.height - 9) / 2, 9, 9, keep_aspect_ratio=True)
            left += 11
    room = Box(left, band.y + 2, band.x + band.width - _MARGIN - left, band.height - 4)
    draw_line(pdf, room, issuer.school, 14)
    pdf.set_text_color(0, 0, 0)


def _fill(pdf: FPDF, box: Box, colour: str) -> None:
    """A rectangle, and text upon it in white or black, whichever can be read."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    pdf.set_fill_color(red, green, blue)
    pdf.rect(box.x, box.y, box.width, box.height, style="F")
    is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 150
    pdf.set_text_color(*((255, 255, 255) if is_dark else (0, 0, 0)))


def _draw_photo(pdf: FPDF, box: Box, photo: bytes | None) -> None:
    picture = _picture(photo, box.width, box.height, crop=True) if photo else None
    if picture is not None:
        pdf.image(picture, box.x, box.y, box.width, box.height)
        return
    pdf.set_draw_color(170, 170, 170)
    pdf.set_line_width(0.2)
    pdf.rect(box.x, box.y, box.width, box.height)


def _picture(body: bytes, width: float, height: float, *, crop: bool) -> BytesIO | None:
    """The picture at the size that 300 dots an inch can show; None for one that is damaged."""
    size = (round(width * _DOTS_PER_MM), round(height * _DOTS_PER_MM))
    out = BytesIO()
    try:
        with Image.open(BytesIO(body), formats=["JPEG", "PNG", "WEBP"]) as opened:
            if crop:
                ImageOps.fit(opened.convert("RGB"), size).save(out, "JPEG", quality=88)
            else:
                small = opened.convert("RGBA")
                small.thumbnail(size)
                small.save(out, "PNG")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    out.seek(0)
    return out


def _draw_qr(pdf: FPDF, box: Box, text: str) -> None:
    """The code of a text on white, with its quiet zone of four modules (ISO/IEC 18004 §6.3.8)."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    side = box.width / len(rows)
    pdf.set_fill_color(0, 0, 0)
    for down, row in enumerate(rows):
        begin = None
        for across, module in enumerate([*row, 0]):
            if module and begin is None:
                begin = across
            elif not module and begin is not None:
                at = box.x + begin * side
                pdf.rect(at, box.y + down * side, (across - begin) * side, side, style="F")
                begin = None


def _wrap(pdf: FPDF, text: str, size: float, width: float) -> Iterator[str]:
    """The lines of a text that are no wider than this."""
    for paragraph in text.splitlines():
        line = ""
        for piece in _PIECES.findall(paragraph):
            if line and _width_of(pdf, line + piece, size) > width:
                yield line.rstrip()
                line = ""
            line += piece
        yield line


def _width_of(pdf: FPDF, text: str, size: float) -> float:
    total = 0.0
    for font, piece in split_runs(text):
        _set_font(pdf, font, size)
        total += pdf.get_string_width(piece)
    return total


def _write(pdf: FPDF, x: float, baseline: float, text: str, size: float) -> None:
    for font, piece in split_runs(text):
        _set_font(pdf, font, size)
        pdf.text(x, baseline, piece)
        x += pdf.get_string_width(piece)


def _set_font(pdf: FPDF, font: Font, size: float) -> None:
    """Fonts are large, and few documents have a name that needs the second one."""
    if font.name not in pdf.fonts:
        pdf.add_font(font.name, fname=font.path)
    pdf.set_font(font.name, size=size)
