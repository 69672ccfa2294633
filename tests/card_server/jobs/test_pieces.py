"""A file is kept in sealed pieces and comes back as it was."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError
from card_server.jobs.pieces import PIECE_BYTES, drop_pieces, keep_input, open_input, read_pieces
from card_server.jobs.protocol import Result
from card_server.storage.sealing import Seal
from schema.tables.jobs import JobPart, JobPiece
from tests.card_server.jobs.desk import SEAL, add_kind, ask
from tests.card_server.web.small_school import SmallSchool


@pytest.fixture
def jobs(
    sessions: sessionmaker[Session], school: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    add_kind(monkeypatch, lambda *_: Result())
    return [ask(sessions, school, "trial") for _ in range(2)]


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_any_input_comes_back_as_it_was(
    sessions: sessionmaker[Session], jobs: list[int], size: int
) -> None:
    body = bytes(number % 253 for number in range(size))
    with sessions.begin() as session:
        keep_input(session, SEAL, jobs[0], body)
        keep_input(session, SEAL, jobs[1], b"another's")
    with open_input(sessions, SEAL, jobs[0]) as file:
        assert file.read() == body


def test_pieces_are_closed_to_another_key_and_dropped_by_job_and_part(
    sessions: sessionmaker[Session], jobs: list[int]
) -> None:
    with sessions.begin() as session:
        for job in jobs:
            keep_input(session, SEAL, job, "学籍".encode())
    with pytest.raises(AppError):
        list(read_pieces(sessions, Seal(b"k" * 32), jobs[0], JobPart.INPUT))
    with sessions.begin() as session:
        drop_pieces(session, [jobs[0]], JobPart.RESULT)
        assert len(session.scalars(select(JobPiece)).all()) == 2
        drop_pieces(session, [jobs[0]], JobPart.INPUT)
    with sessions() as session:
        [left] = session.scalars(select(JobPiece))
        assert left.job_id == jobs[1]
        assert "学籍".encode() not in left.body
