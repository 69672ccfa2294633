"""`card-server recompute`: the differences are shown before days change, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from card_server.commands import app
from card_server.errors import EXIT_CODE, Code
from card_server.storage.database import open_engine, open_sessions
from schema.tables.audit import AuditEntry
from schema.tables.calendar import TimetableSession
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool, at
from tests.card_server.test_commands import write_config

Run = Callable[..., Result]
TIME = ("--school", "no1", "--from", "2026-09-07", "--to", "2026-09-08")


@pytest.fixture
def school(database_url: str) -> JudgedSchool:
    """Student 1 was late on Monday; since then one is late only after 08:15."""
    made = JudgedSchool(open_sessions(open_engine(database_url)))
    made.tick(at(MONDAY, "00:01"))
    made.record([made.pass_gate(1, MONDAY, "08:10")])
    over = at(MONDAY + timedelta(days=1), "00:20")
    made.report(over)
    made.tick(over)
    with made.sessions.begin() as session:
        for one in session.scalars(select(TimetableSession).where(TimetableSession.position == 1)):
            one.late_after = 8 * 60 + 15
    return made


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "200")
    config = write_config(tmp_path / "server.toml", database_url)

    def invoke(*words: str, typed: str = "") -> Result:
        argv = ["recompute", *words, "--config", str(config)]
        return CliRunner().invoke(app, argv, input=typed)

    return invoke


def notes(school: JudgedSchool) -> list[str]:
    return [row.action for row in school.rows(AuditEntry)]


def test_by_the_kept_calendar_every_day_is_as_it_was(school: JudgedSchool, run: Run) -> None:
    done = run(*TIME)
    assert done.exit_code == 0, done.output
    assert "Every day is as it was." in done.stdout
    assert school.statuses(1)[0] == "late"
    assert notes(school) == ["attendance.recomputed"]


def test_a_trial_shows_the_differences_by_number_and_changes_nothing(
    school: JudgedSchool, run: Run
) -> None:
    done = run(*TIME, "--new-calendar", "--dry-run")
    assert done.exit_code == 0, done.output
    assert "S000001" in done.stdout
    assert "1 late" in done.stdout
    assert "学一" not in done.output
    assert school.statuses(1)[0] == "late"
    assert notes(school) == []


@pytest.mark.parametrize(("typed", "status"), [("n\n", "late"), ("y\n", "present")])
def test_the_new_calendar_asks_first(
    school: JudgedSchool, run: Run, typed: str, status: str
) -> None:
    done = run(*TIME, "--new-calendar", typed=typed)
    assert done.exit_code == 0, done.output
    assert school.statuses(1)[0] == status


def test_who_is_sure_is_not_asked(school: JudgedSchool, run: Run) -> None:
    assert run(*TIME, "--new-calendar", "--yes").exit_code == 0
    assert school.statuses(1)[0] == "present"


def test_a_time_that_ends_before_it_begins_is_refused(school: JudgedSchool, run: Run) -> None:
    done = run("--school", "no1", "--from", "2026-09-08", "--to", "2026-09-07")
    assert done.exit_code == EXIT_CODE[Code.INVALID]
    assert run("--school", "no9", *TIME[2:]).exit_code == EXIT_CODE[Code.NOT_FOUND]
