"""Many engines in one process: a statement that one has compiled no other compiles again.

A process that serves opens one engine; these tests open thousands, each with the same statements.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Dialect, Engine, create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from card_server.storage import database

_MOST_STATEMENTS = 10_000


@contextmanager
def statements_compiled_once() -> Iterator[None]:
    """Engines of one kind share what they compiled; connections they share none."""
    kept: LRUCache[Any, Any] = LRUCache(_MOST_STATEMENTS)

    def create_sharing(*arguments: Any, **options: Any) -> Engine:
        engine = create_engine(*arguments, **options)
        engine._compiled_cache = kept
        return engine

    with pytest.MonkeyPatch.context() as patch:
        for dialect in (PGDialect_psycopg, SQLiteDialect_pysqlite):
            # What is kept is found by its statement and by the engine's own dialect.
            patch.setattr(dialect, "__eq__", _is_alike)
            patch.setattr(dialect, "__hash__", lambda one: hash(type(one)))
        patch.setattr(database, "create_engine", create_sharing)
        yield


def _is_alike(one: Dialect, other: object) -> bool:
    return type(one) is type(other)
