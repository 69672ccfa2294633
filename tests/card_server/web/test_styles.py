"""The style sheets hold what pages use, pages use what they hold, and dark is the same twice."""

import re
from pathlib import Path

from schema.tables.messages import MessageState

_WEB = Path(__file__).parents[3] / "card_server" / "web"
_SHEETS = sorted((_WEB / "static").glob("*.css"))
_CLASS = re.compile(r"\.([a-z][a-z0-9-]*)")
_PICO = {"outline", "secondary", "contrast", "container", "grid"}
"""Classes of the sheet underneath."""
_MARKS = {"desk", "revealed", "tapped"}
"""Classes without a look, by which scripts find things."""


def test_every_class_of_the_sheets_is_on_a_page() -> None:
    used = _used()
    held = set().union(*map(_held, _SHEETS))
    assert held - used == set()


def test_every_class_on_a_page_has_a_look() -> None:
    held = set().union(*map(_held, _SHEETS)) | _PICO | _MARKS
    assert _used_in_templates() - held == set()


def test_dark_by_the_system_and_dark_by_the_switch_are_one_palette() -> None:
    sheet = (_WEB / "static" / "campus.css").read_text(encoding="utf-8")
    system = re.search(r':root:not\(\[data-theme="light"\]\) \{([^}]+)\}', sheet)
    switch = re.search(r'\n:root\[data-theme="dark"\] \{([^}]+)\}', sheet)
    assert system
    assert switch
    assert system[1].split() == switch[1].split()


def test_colours_stand_in_the_palette_alone() -> None:
    """A colour beside it would not follow light and dark; what is the same in both is named."""
    for sheet in _SHEETS:
        text = sheet.read_text(encoding="utf-8")
        strays = re.findall(r"^\s+(?!--)[a-z-]+:[^;]*(#[0-9a-f]{3,8})\b", text, re.MULTILINE)
        assert set(strays) <= _SAME_IN_BOTH, sheet.name


_SAME_IN_BOTH = {
    "#0d6a5f",  # a card's coloured edge
    "#a8262c",  # danger, under white words
    "#ffffff",
    "#e3b75a",  # a card's chip
    "#7d8b8c",  # a stray card's edge
    "#20292a",  # the drawn phone's case
    "#2fbf63",  # the green light
    "#e5484d",  # the red light
}


def _held(sheet: Path) -> set[str]:
    """The classes that a sheet's selectors name."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", text)
    return {name for one in selectors for name in _CLASS.findall(one)}


def _used() -> set[str]:
    """Every word of the templates, scripts and Python that could be a class there."""
    files = [*_WEB.rglob("*.html"), *_WEB.glob("static/*.js"), *_WEB.glob("*.py")]
    words: set[str] = set()
    for file in files:
        words |= set(re.findall(r"[a-z][a-z0-9-]*", file.read_text(encoding="utf-8")))
    return words | {f"state-{state}" for state in MessageState}


def _used_in_templates() -> set[str]:
    """The classes that stand in the templates as they are, without what Jinja fills in."""
    found: set[str] = set()
    plain = re.sub(r"\{%.*?%\}", "", _all_templates())
    plain = re.sub(r"\{\{.*?\}\}", "{}", plain)
    for given in re.findall(r'\bclass="([^"]*)"', plain):
        found |= set(given.split())
    return {one for one in found if re.fullmatch(r"[a-z][a-z0-9-]*", one)}


def _all_templates() -> str:
    return "\n".join(one.read_text(encoding="utf-8") for one in sorted(_WEB.rglob("*.html")))
