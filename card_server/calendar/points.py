"""Points of the conduct assessment (考核分) as people write them: 0.5, kept in tenths."""

from decimal import Decimal, InvalidOperation

from card_server.field_errors import Problems
from card_server.field_errors import marked as _

_MOST = 100
_NO_POINTS = _("Write points from 0 to 100, with one decimal at most: 0.5.")


def read_points(wrong: Problems, field: str, typed: str) -> int:
    """Points in tenths; 0 with a word beside the field when they are none."""
    try:
        tenths = Decimal(typed.strip()) * 10
    except InvalidOperation:
        wrong.add(field, _NO_POINTS)
        return 0
    if not tenths.is_finite() or not 0 <= tenths <= _MOST * 10 or tenths % 1:
        wrong.add(field, _NO_POINTS)
        return 0
    return int(tenths)


def write_points(tenths: int) -> str:
    """0.5."""
    return f"{tenths // 10}.{tenths % 10}"
