"""Whether a column is among many values, asked so that a long list costs little."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, any_, bindparam
from sqlalchemy.orm import InstrumentedAttribute, Session


def is_among(
    session: Session,
    column: InstrumentedAttribute[Any] | ColumnElement[Any],
    values: Collection[Any],
) -> ColumnElement[bool]:
    """As `column.in_(values)`; on PostgreSQL the values are one parameter and not one each.

    A hundred parameters are written, sent and read longer than their rows are looked for, and each
    other length of the list would be another statement to prepare.
    """
    if session.get_bind().dialect.name != "postgresql":
        return column.in_(values)
    return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))
