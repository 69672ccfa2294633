"""Light, dark, or as the system is (深色模式)."""

from enum import StrEnum


class Theme(StrEnum):
    """How pages are coloured."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"
