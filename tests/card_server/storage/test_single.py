"""Each role once on SQLite; on PostgreSQL each process has a place that its end sets free."""

import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from card_server.errors import AppError, Code
from card_server.storage import single
from card_server.storage.database import open_engine
from card_server.storage.single import claim_role
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

_HOLD = """
import sys, threading
from card_server.storage.database import open_engine
from card_server.storage.single import claim_role
with claim_role(open_engine(sys.argv[1]), "ingest") as place:
    print(f"place {place}", flush=True)
    threading.Event().wait()
"""


def holder(url: str, folder: Path) -> Process:
    return Process([sys.executable, "-c", _HOLD, url], folder / "holder.log")


def is_refused(engine: Engine) -> bool:
    try:
        with claim_role(engine, "ingest"):
            return False
    except AppError:
        return True


def place_of(engine: Engine) -> int:
    with claim_role(engine, "ingest") as place:
        return place


def test_a_second_process_on_sqlite_is_refused_with_a_sentence(sqlite_url: str) -> None:
    one, two = open_engine(sqlite_url), open_engine(sqlite_url)
    with (
        claim_role(one, "ingest") as place,
        pytest.raises(AppError, match=r"Another .*SQLite allows one") as caught,
        claim_role(two, "ingest"),
    ):
        pytest.fail("claimed twice")
    assert place == 1
    assert caught.value.code is Code.CONFLICT
    assert not is_refused(two)


def test_roles_do_not_stand_in_each_others_way(engine: Engine) -> None:
    with (
        claim_role(engine, "ingest") as ingest,
        claim_role(engine, "notify") as notify,
        claim_role(engine, "clock") as clock,
    ):
        assert (ingest, notify, clock) == (1, 1, 1)


def test_a_failure_inside_sets_the_place_free(engine: Engine) -> None:
    with pytest.raises(RuntimeError, match="inside"), claim_role(engine, "ingest"):
        raise RuntimeError("inside")
    assert place_of(engine) == 1


def test_places_on_postgresql_are_distinct_and_the_lowest_free_one_is_next(
    postgres_url: str,
) -> None:
    engines = [open_engine(postgres_url) for _ in range(3)]
    with claim_role(engines[0], "ingest") as one:
        with claim_role(engines[1], "ingest") as two, claim_role(engines[2], "ingest") as three:
            assert (one, two, three) == (1, 2, 3)
        assert place_of(engines[1]) == 2
    assert place_of(engines[2]) == 1
    for engine in engines:
        engine.dispose()


def test_places_on_postgresql_run_out_with_a_sentence(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "_PLACES", 1)
    engine = open_engine(postgres_url)
    with claim_role(engine, "ingest"), pytest.raises(AppError, match="run already") as caught:
        place_of(engine)
    assert caught.value.code is Code.CONFLICT
    engine.dispose()


def test_a_killed_process_sets_its_place_free(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    with holder(database_url, tmp_path) as process:
        wait_for(lambda: "place 1" in process.output, what="the holder")
        if engine.dialect.name == "sqlite":
            assert is_refused(engine)
        else:
            assert place_of(engine) == 2
        process.kill()
        wait_for(lambda: not is_refused(engine) and place_of(engine) == 1, what="the free place")
