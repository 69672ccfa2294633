"""What the database alone takes: COPY of the rows that ingest has just written."""

import time
from typing import LiteralString

import psycopg

_TABLES: tuple[LiteralString, ...] = ("tap", "attendance", "message")
_AT_ONCE = 500
"""Rows in a commit, as ingest has them."""


def copy_again(database_url: str) -> float:
    """Taps a second when their rows go by COPY into empty tables with the same indexes."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        lines = {table: _prepare(connection, table) for table in _TABLES}
        began = time.perf_counter()
        for table, rows in lines.items():
            for start in range(0, len(rows), _AT_ONCE):
                with connection.cursor().copy(f"COPY {table}_again FROM STDIN") as copy:
                    copy.write(b"".join(rows[start : start + _AT_ONCE]))
                connection.commit()
        return len(lines["tap"]) / (time.perf_counter() - began)


def _prepare(connection: psycopg.Connection, table: LiteralString) -> list[bytes]:
    """The table's rows as COPY text; an empty table like it stands ready."""
    connection.execute(f"CREATE TABLE {table}_again (LIKE {table} INCLUDING ALL)")
    connection.commit()
    with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(bytes(block) for block in copy).splitlines(keepends=True)
