"""An export whose process is killed in the middle is begun anew by another, and is whole."""

import subprocess
import sys

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.exports.files import Export
from card_server.exports.job import parameters_of
from card_server.exports.taps import TAPS
from card_server.jobs import work
from card_server.jobs.pieces import read_pieces
from card_server.jobs.queue import LEASE
from schema.messages import utc_now
from schema.tables.jobs import JobPart, JobPiece, JobState
from tests.card_server.exports.test_job import add_many_taps
from tests.card_server.jobs.desk import SEAL, ask, do_next, read
from tests.card_server.web.small_school import SmallSchool
from tests.harness.waiting import wait_for

ROWS = 6_000
_STALL = """
import sys, time
from card_server.jobs import progress
from card_server.storage.database import open_engine
from tests.card_server.jobs.desk import do_next

keep = progress.JobProgress._keep_piece
def keep_one_and_stall(self, body):
    keep(self, body)
    time.sleep(100)

progress.JobProgress._keep_piece = keep_one_and_stall
do_next(open_engine(sys.argv[1]))
"""


def test_it_is_whole_though_a_process_was_killed_in_its_middle(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with sessions.begin() as session:
        add_many_taps(session, school, ROWS)
    job_id = ask(sessions, school, "export", parameters_of(Export.CSV, TAPS, {}))
    url = engine.url.render_as_string(hide_password=False)

    def pieces() -> int:
        with sessions() as session:
            return session.scalar(select(func.count()).select_from(JobPiece)) or 0

    with subprocess.Popen([sys.executable, "-c", _STALL, url]) as process:
        try:
            wait_for(lambda: pieces() == 1, 60, "half a file")
        finally:
            process.kill()
    assert not do_next(engine), "its lease still runs"
    assert read(sessions, job_id).state is JobState.RUNNING
    monkeypatch.setattr(work, "utc_now", lambda: utc_now() + LEASE)
    assert do_next(engine)
    job = read(sessions, job_id)
    assert (job.state, job.attempts, job.file_rows) == (JobState.DONE, 2, ROWS)
    body = b"".join(read_pieces(sessions, SEAL, job_id, JobPart.RESULT))
    assert len(body) == job.file_bytes
    assert body.count(b"\r\n") == ROWS + 1
