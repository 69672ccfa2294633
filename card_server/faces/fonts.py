"""The fonts that card faces are set in, and which characters none of them has.

Names hold Han that few fonts have (GB 18030, 通用规范汉字表): the first font sets what it can, the
second the rest. What neither has is printed as 〓, the printer's mark for a missing letter, and
said on the page: an empty box on a child's card would be found out too late.
"""

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

from card_server.errors import AppError, Code

MISSING: Final = "〓"


class Font(NamedTuple):
    """A font of the system, by the name that it has in the PDF."""

    name: str
    path: Path
    package: str
    """The Debian package that brings it."""


FONTS: Final = (
    Font("main", Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"), "fonts-wqy-microhei"),
    Font(
        "rare",
        Path("/usr/share/fonts/truetype/babelstone/BabelStoneHan.ttf"),
        "fonts-babelstone-han",
    ),
)
"""In the order in which they are asked."""


def available_fonts() -> list[Font]:
    """Those that this machine has. Raises AppError(UNAVAILABLE) when the first is missing."""
    if not FONTS[0].path.exists():
        raise AppError(
            Code.UNAVAILABLE,
            "The server has no font for card faces. Install the package fonts-wqy-microhei.",
        )
    return [font for font in FONTS if font.path.exists()]


def split_runs(text: str) -> Iterator[tuple[Font, str]]:
    """The text in pieces of one font each: the font and the piece, MISSING put in.

    One piece where one font has all of it: a name in two hands looks like a mistake.
    """
    fonts = available_fonts()
    whole = next((one for one in fonts if letters_of(one).issuperset(map(ord, text))), None)
    if whole:
        yield whole, text
        return
    named = [_font_of(letter, fonts) for letter in text]
    for font, group in groupby(named, key=lambda one: one[0]):
        yield font, "".join(letter for _, letter in group)


def _font_of(letter: str, fonts: list[Font]) -> tuple[Font, str]:
    for font in fonts:
        if ord(letter) in letters_of(font):
            return font, letter
    return fonts[0], MISSING


def missing_letters(text: str, there: frozenset[int] | None = None) -> str:
    """The characters that none of this machine's fonts has, each once.

    `there` is what printable_letters gave: who asks for many texts asks the machine once.
    """
    there = printable_letters() if there is None else there
    return "".join(letter for letter in dict.fromkeys(text) if ord(letter) not in there)


def printable_letters() -> frozenset[int]:
    """The code points that this machine's fonts have."""
    return _letters_of_all(tuple(available_fonts()))


@cache
def _letters_of_all(fonts: tuple[Font, ...]) -> frozenset[int]:
    return frozenset().union(*map(letters_of, fonts))


@cache
def letters_of(font: Font) -> frozenset[int]:
    """The code points that a font has a glyph for."""
    from fontTools.ttLib import TTFont  # Heavy, and not for a process that prints no card.

    with TTFont(font.path, fontNumber=0, lazy=True) as opened:
        return frozenset(opened.getBestCmap())
