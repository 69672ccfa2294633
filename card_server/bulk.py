"""Many rows in one statement, on both databases.

PostgreSQL takes the rows as one JSON parameter (`json_to_recordset`): the driver handles one value
instead of thousands. COPY would cost the database a third less, but writing its lines costs this
process more than that, and this process is what ingest waits for. SQLite takes the rows one by one
inside the driver. Rows are structs whose fields are named like the table's columns.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Table, TextClause, TextualSelect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

Row = TypeVar("Row", bound=msgspec.Struct)
Fields = tuple[str, ...]

_ENCODER = msgspec.json.Encoder(uuid_format="hex")
"""As SQLAlchemy keeps a UUID on SQLite; PostgreSQL takes any form."""
_POSTGRESQL = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
_SQLITE = sqlite.dialect()


def insert_new(session: Session, table: type[DeclarativeBase], rows: Sequence[Any]) -> int:
    """Insert those rows that meet no existing key; how many they were."""
    return _insert(session, table, rows, "ON CONFLICT DO NOTHING")


def upsert(
    session: Session, table: type[DeclarativeBase], rows: Sequence[Any], *, changes: str
) -> None:
    """Insert the rows, or do `changes` (SQL, with `excluded` as the new row) to those there are."""
    keys = ", ".join(column.name for column in _table(table).primary_key)
    _insert(session, table, rows, f"ON CONFLICT ({keys}) DO UPDATE SET {changes}")


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
    connection = session.connection()
    statement = _select(
        table, keys[0].__struct_fields__, into.__struct_fields__, lock, connection.dialect.name
    )
    found = connection.execute(statement, {"given": encode_keys(keys)})
    return [into(*row) for row in found]


def given_clause(dialect: str, table: type[DeclarativeBase], keys: Fields) -> str:
    """A FROM clause `given` with a row per key, for queries of more than one table.

    Its parameter `:given` takes what encode_keys makes of structs.
    """
    if dialect == "postgresql":
        return _recordset(table, keys)
    values = ", ".join(f"value ->> '{key}' AS {key}" for key in keys)
    return f"(SELECT {values} FROM json_each(:given)) AS given"  # noqa: S608 - our own names


def encode_keys(keys: Sequence[msgspec.Struct]) -> str:
    """The keys as the JSON parameter of given_clause."""
    return _ENCODER.encode(keys).decode()


def _insert(
    session: Session, table: type[DeclarativeBase], rows: Sequence[Any], conflict: str
) -> int:
    if not rows:
        return 0
    fields = rows[0].__struct_fields__
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        statement = _recordset_insert(table, fields, conflict)
        return connection.execute(statement, {"given": _ENCODER.encode(rows).decode()}).rowcount
    binders = _sqlite_binders(table, fields)
    parameters = [
        {name: bind(getattr(row, name)) for name, bind in binders.items()} for row in rows
    ]
    return connection.execute(_plain_insert(table, fields, conflict), parameters).rowcount


@cache
def _recordset_insert(table: type[DeclarativeBase], fields: Fields, conflict: str) -> TextClause:
    names = ", ".join(fields)
    return text(
        f"INSERT INTO {_table(table).name} ({names}) SELECT {names} "  # noqa: S608 - our own names
        f"FROM {_recordset(table, fields)} {conflict}"
    )


@cache
def _plain_insert(table: type[DeclarativeBase], fields: Fields, conflict: str) -> TextClause:
    values = ", ".join(f":{name}" for name in fields)
    return text(
        f"INSERT INTO {_table(table).name} ({', '.join(fields)}) "  # noqa: S608 - our own names
        f"VALUES ({values}) {conflict}"
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


def _recordset(table: type[DeclarativeBase], fields: Fields) -> str:
    columns = _table(table).columns
    types = ", ".join(f"{name} {columns[name].type.compile(_POSTGRESQL)}" for name in fields)
    return f"json_to_recordset(CAST(:given AS json)) AS given({types})"


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
