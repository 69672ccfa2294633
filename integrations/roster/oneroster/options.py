"""What staff decide before a package is read, where the specification leaves it open."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from msgspec import Struct

from integrations.roster.phones import COUNTRIES
from integrations.roster.protocol import Roster


class HomeroomRule(StrEnum):
    """Which classes are homerooms (班级)."""

    BY_CLASS_TYPE = "by_class_type"
    """Those of class type `homeroom`."""
    EVERY_CLASS = "every_class"
    """All: for sources that know no other classes and no class types, as SDS."""


class Options(Struct, frozen=True):
    """How to read one school's people out of a package."""

    school: str | None = None
    """`sourcedId` or identifier of the school, where the package has several."""
    homerooms: HomeroomRule = HomeroomRule.BY_CLASS_TYPE
    leaves_out_without_homeroom: bool = False
    """Whether students without a homeroom are passed over, instead of stopping the import."""
    grades: Mapping[str, int] = {}
    """`sourcedId` of a homeroom → grade, 1 to 12, where the package does not say it."""
    on: date | None = None
    """Who is in which homeroom on this day. None: enrolments count whatever their dates."""
    countries: tuple[str, ...] = COUNTRIES
    """Whose phones are taken; those that do not say theirs are of the first."""
    encoding: str = "utf-8-sig"
    """The specification allows UTF-8 alone; some sources write another."""
    known: Roster | None = None
    """The school as it is, which a delta changes."""
