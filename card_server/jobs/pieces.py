"""The bytes of a job's input and result: sealed pieces, so that no file is in memory as a whole."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.storage.sealing import Seal
from schema.tables.jobs import JobPart, JobPiece

PIECE_BYTES: Final = 256 * 1024
_IN_MEMORY: Final = 4 * PIECE_BYTES


def keep_piece(
    session: Session, seal: Seal, job_id: int, part: JobPart, number: int, body: bytes
) -> None:
    """Keep one piece; the numbers begin with 0."""
    values = {"job_id": job_id, "part": part, "number": number, "body": seal.close_bytes(body)}
    session.execute(insert(JobPiece).values(values))


def keep_input(session: Session, seal: Seal, job_id: int, body: bytes) -> None:
    """Keep what was handed in with a job."""
    for number, begin in enumerate(range(0, len(body), PIECE_BYTES)):
        piece = body[begin : begin + PIECE_BYTES]
        keep_piece(session, seal, job_id, JobPart.INPUT, number, piece)


def drop_pieces(session: Session, job_ids: Iterable[int], *parts: JobPart) -> None:
    """Delete these parts of these jobs."""
    session.execute(
        delete(JobPiece).where(JobPiece.job_id.in_(list(job_ids)), JobPiece.part.in_(parts))
    )


def read_pieces(
    reading: sessionmaker[Session], seal: Seal, job_id: int, part: JobPart
) -> Iterator[bytes]:
    """The bytes, piece by piece; no transaction is open while somebody takes them."""
    wanted = select(JobPiece.body).where(JobPiece.job_id == job_id, JobPiece.part == part)
    number = 0
    while True:
        with reading() as session:
            sealed = session.scalar(wanted.where(JobPiece.number == number))
        if sealed is None:
            return
        yield seal.open_bytes(sealed)
        number += 1


def open_input(reading: sessionmaker[Session], seal: Seal, job_id: int) -> IO[bytes]:
    """What was handed in, from its beginning; close it when it has been read."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - whoever asked closes it
    for piece in read_pieces(reading, seal, job_id, JobPart.INPUT):
        file.write(piece)
    file.seek(0)
    return file
