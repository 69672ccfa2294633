"""Many rows in one statement, on both databases.

PostgreSQL takes the rows as one JSON parameter (`json_to_recordset`): the driver handles one value
instead of thousands. New rows by the hundred go by COPY (copy_in.py). SQLite takes the rows one by
one inside the driver. Rows are structs whose fields are named like the table's columns.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection, Table, TextClause, TextualSelect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from card_server.storage.copy_in import copy_rows
from card_server.storage.together import Query, ask_together

Row = TypeVar("Row", bound=msgspec.Struct)
Fields = tuple[str, ...]

_ENCODER = msgspec.json.Encoder(uuid_format="hex")
"""As SQLAlchemy keeps a UUID on SQLite; PostgreSQL takes any form."""
_POSTGRESQL = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
_SQLITE = sqlite.dialect()
_MANY = 100
"""From so many rows on COPY's own two round trips are worth it."""


class Write(NamedTuple):
    """Rows for one table."""

    table: type[DeclarativeBase]
    rows: Sequence[Any]
    changes: str | None = None
    """What happens to a row whose key is there already: SQL, with `excluded` as the new row.
    None: there must be none."""


class _Shape(NamedTuple):
    """A Write without its rows, as far as its SQL depends on it."""

    table: type[DeclarativeBase]
    fields: Fields
    conflict: str


def write_all(session: Session, writes: Sequence[Write]) -> None:
    """Write all these rows; on PostgreSQL in one round trip, unless they are many.

    Raises IntegrityError when a row that must be new is not; the transaction is lost then.
    """
    filled = [write for write in writes if write.rows]
    if not filled:
        return
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        for write in filled:
            _insert_each(connection, _shape(write), write.rows)
        return
    small = [write for write in filled if not _is_copied(connection, write)]
    if small:
        statement = _recordset_inserts(tuple(_shape(write) for write in small))
        rows = {f"given_{place}": encode_rows(write.rows) for place, write in enumerate(small)}
        connection.execute(statement, rows)


def insert_missing(session: Session, table: type[DeclarativeBase], rows: Sequence[Any]) -> None:
    """Insert those rows that meet no existing key."""
    if not rows:
        return
    connection = session.connection()
    shape = _Shape(table, rows[0].__struct_fields__, "ON CONFLICT DO NOTHING")
    if connection.dialect.name == "postgresql":
        connection.execute(_recordset_inserts((shape,)), {"given_0": encode_rows(rows)})
    else:
        _insert_each(connection, shape, rows)


def fetch(
    session: Session,
    table: type[DeclarativeBase],
    keys: Sequence[msgspec.Struct],
    into: type[Row],
    *,
    lock: bool = False,
) -> list[Row]:
    """The rows that have these values in the columns that the keys name, one query for all.

    With `lock` they stay locked until the transaction ends, in the order of their keys.
    """
    if not keys:
        return []
    [found] = ask_together(session, [query_of(session, table, keys, into, lock=lock)])
    return [into(*row) for row in found]


def query_of(
    session: Session,
    table: type[DeclarativeBase],
    keys: Sequence[msgspec.Struct],
    into: type[msgspec.Struct],
    *,
    lock: bool = False,
) -> Query:
    """The query of `fetch`, to be asked together with others; there must be a key."""
    dialect = session.get_bind().dialect.name
    fields = keys[0].__struct_fields__
    statement = _select(table, fields, into.__struct_fields__, lock, dialect)
    return Query(statement, {"given": encode_rows(keys)})


def given_clause(dialect: str, table: type[DeclarativeBase], keys: Fields) -> str:
    """A FROM clause `given` with a row per key, for queries of more than one table.

    Its parameter `:given` takes what encode_rows makes of structs.
    """
    if dialect == "postgresql":
        return _recordset(table, keys)
    values = ", ".join(f"value ->> '{key}' AS {key}" for key in keys)
    return f"(SELECT {values} FROM json_each(:given)) AS given"  # noqa: S608 - our own names


def encode_rows(rows: Sequence[msgspec.Struct]) -> str:
    """Structs as the JSON parameter of given_clause."""
    return _ENCODER.encode(rows).decode()


def _shape(write: Write) -> _Shape:
    conflict = ""
    if write.changes is not None:
        keys = ", ".join(column.name for column in _table(write.table).primary_key)
        conflict = f"ON CONFLICT ({keys}) DO UPDATE SET {write.changes}"
    return _Shape(write.table, write.rows[0].__struct_fields__, conflict)


def _is_copied(connection: Connection, write: Write) -> bool:
    if write.changes is not None or len(write.rows) < _MANY:
        return False
    return copy_rows(connection, _table(write.table).name, write.rows)


@cache
def _recordset_inserts(shapes: tuple[_Shape, ...]) -> TextClause:
    """All the inserts as one statement (WITH): none of them reads what another writes."""
    *first, last = (_recordset_insert(shape, f"given_{n}") for n, shape in enumerate(shapes))
    others = ", ".join(f"w{place} AS ({insert})" for place, insert in enumerate(first))
    return text(f"WITH {others} {last}" if others else last)


def _recordset_insert(shape: _Shape, parameter: str) -> str:
    names = ", ".join(shape.fields)
    given = _recordset(shape.table, shape.fields, parameter)
    return (
        f"INSERT INTO {_table(shape.table).name} ({names}) "  # noqa: S608 - our own names
        f"SELECT {names} FROM {given} {shape.conflict}"
    )


def _insert_each(connection: Connection, shape: _Shape, rows: Sequence[Any]) -> None:
    binders = _sqlite_binders(shape.table, shape.fields)
    connection.execute(
        _plain_insert(shape),
        [{name: bind(getattr(row, name)) for name, bind in binders.items()} for row in rows],
    )


@cache
def _plain_insert(shape: _Shape) -> TextClause:
    values = ", ".join(f":{name}" for name in shape.fields)
    return text(
        f"INSERT INTO {_table(shape.table).name} "  # noqa: S608 - our own names
        f"({', '.join(shape.fields)}) VALUES ({values}) {shape.conflict}"
    )


@cache
def _select(
    table: type[DeclarativeBase], keys: Fields, fields: Fields, lock: bool, dialect: str
) -> TextualSelect:
    of = _table(table)
    ending = ""
    if lock and dialect == "postgresql":
        ending = f" ORDER BY {_list(of.name, keys)} FOR UPDATE OF {of.name}"
    match = " AND ".join(f"{of.name}.{key} = given.{key}" for key in keys)
    return text(
        f"SELECT {_list(of.name, fields)} "  # noqa: S608 - our own names
        f"FROM {given_clause(dialect, table, keys)} JOIN {of.name} ON {match}{ending}"
    ).columns(*[of.columns[name] for name in fields])


def _recordset(table: type[DeclarativeBase], fields: Fields, parameter: str = "given") -> str:
    columns = _table(table).columns
    types = ", ".join(f"{name} {columns[name].type.compile(_POSTGRESQL)}" for name in fields)
    return f"json_to_recordset(CAST(:{parameter} AS json)) AS given({types})"


@cache
def _sqlite_binders(
    table: type[DeclarativeBase], fields: Fields
) -> dict[str, Callable[[Any], Any]]:
    """For each column, what SQLAlchemy itself does to a value before SQLite gets it."""
    columns = _table(table).columns
    return {
        name: columns[name].type.dialect_impl(_SQLITE).bind_processor(_SQLITE) or _as_it_is
        for name in fields
    }


def _list(table: str, fields: Fields) -> str:
    return ", ".join(f"{table}.{name}" for name in fields)


def _as_it_is(value: object) -> object:
    return value


def _table(table: type[DeclarativeBase]) -> Table:
    found = table.__table__
    if not isinstance(found, Table):
        raise TypeError(f"{table} is not one table")
    return found
