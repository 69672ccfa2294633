"""Queries that go to PostgreSQL together: one round trip for all, in a pipeline of the driver.

Each still sees what was committed before it began, so a query may go with the one that locks what
it reads. SQLite, to which there is no way to go, is asked one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection, Dialect, TextualSelect
from sqlalchemy.orm import Session

from card_server.storage.copy_in import as_ours

Rows = Sequence[Sequence[Any]]
_Process = Callable[[Any], Any]


class Query(NamedTuple):
    """A query that is kept and asked again and again, and what it is asked with."""

    statement: TextualSelect
    parameters: Mapping[str, Any]


def ask_together(session: Session, queries: Sequence[Query]) -> list[Rows]:
    """The rows of each query, in their order."""
    connection = session.connection()
    if connection.dialect.name != "postgresql" or len(queries) == 1:
        return [connection.execute(*query).all() for query in queries]
    try:
        return _in_a_pipeline(connection, queries)
    except psycopg.Error as error:
        raise as_ours(connection, error, str(queries[0].statement)) from error


class _Prepared(NamedTuple):
    """A statement as the driver takes it, and what is done to values on their way in and out."""

    sql: str
    into: Mapping[str, _Process]
    out_of: tuple[tuple[int, _Process], ...]


def _in_a_pipeline(connection: Connection, queries: Sequence[Query]) -> list[Rows]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise TypeError("a pipeline is PostgreSQL's")
    prepared = [_prepare(query.statement, connection.dialect) for query in queries]
    with driver.pipeline():
        cursors = [
            driver.cursor().execute(one.sql.encode(), _bound(one, query.parameters))
            for one, query in zip(prepared, queries, strict=True)
        ]
    return [
        _processed(one, cursor.fetchall()) for one, cursor in zip(prepared, cursors, strict=True)
    ]


@lru_cache(maxsize=100)
def _prepare(statement: TextualSelect, dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect)
    into = {
        name: process
        for name, bound in compiled.binds.items()
        if (process := bound.type.dialect_impl(dialect).bind_processor(dialect))
    }
    out_of = tuple(
        (place, process)
        for place, column in enumerate(statement.selected_columns)
        if (process := column.type.dialect_impl(dialect).result_processor(dialect, None))
    )
    return _Prepared(compiled.string, into, out_of)


def _bound(prepared: _Prepared, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: prepared.into[name](value) if name in prepared.into else value
        for name, value in parameters.items()
    }


def _processed(prepared: _Prepared, rows: list[tuple[Any, ...]]) -> Rows:
    if not prepared.out_of or not rows:
        return rows
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, process in prepared.out_of:
        columns[place] = [process(value) for value in columns[place]]
    return list(zip(*columns, strict=True))
