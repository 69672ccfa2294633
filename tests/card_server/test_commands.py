"""The command line: a school is made step by step, and every mistake is answered in a sentence."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from card_server.commands import app
from card_server.errors import EXIT_CODE, Code
from card_server.staff.accounts import log_in
from card_server.storage.database import open_engine
from schema.tables.readers import Direction, Reader
from schema.tables.school import School
from schema.tables.staff import Role, StaffGrant
from tests.harness.postgres import Postgres

Run = Callable[..., Result]
SCHOOL = ("add-school", "no1", "第一中学", "--signature", "一中")


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def write_config(path: Path, url: str) -> Path:
    key = base64.b64encode(b"k" * 32).decode()
    path.write_text(f'database_url = "{url}"\ndata_key = "{key}"\nweb_secret = "{"x" * 32}"\n')
    return path


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """A command with the settings of a fresh database."""
    config = write_config(tmp_path / "server.toml", database_url)
    return lambda *words: CliRunner().invoke(app, [*words, "--config", str(config)])


def test_a_school_its_admin_and_its_readers_are_made_one_after_the_other(
    run: Run, database_url: str
) -> None:
    made = run(*SCHOOL)
    assert (made.exit_code, made.stderr) == (0, "")
    assert "Next: card-server create-admin no1 LOGIN" in made.stdout
    password = _password(run("create-admin", "no1", "wang", "--name", "王老师"))
    for code, direction in (("in", "in"), ("out", "out"), ("both", "")):
        added = run("add-reader", "no1", code, "东门", "东", "--direction", direction)
        assert (added.exit_code, added.stdout) == (0, f"The reader no1/{code} is there.\n")
    engine = open_engine(database_url)
    with Session(engine) as session:
        assert session.scalars(select(School.code)).all() == ["no1"]
        staff = log_in(session, "wang", password)
        [grant] = session.scalars(select(StaffGrant))
        assert (grant.staff_id, grant.role, grant.school_id) == (staff.id, Role.SCHOOL_ADMIN, 1)
        assert (staff.name, staff.school_id) == ("王老师", 1)
        assert staff.password_is_one_time
        directions = {row.code: row.direction for row in session.scalars(select(Reader))}
    assert directions == {"in": Direction.IN, "out": Direction.OUT, "both": None}
    engine.dispose()


def test_an_admin_who_is_made_again_gets_a_new_password(run: Run, database_url: str) -> None:
    run(*SCHOOL)
    old = _password(run("create-admin", "no1", "wang"))
    new = _password(run("create-admin", "no1", "Wang"))
    assert old != new
    engine = open_engine(database_url)
    with Session(engine) as session:
        assert log_in(session, "wang", new).login == "wang"
    engine.dispose()


def test_another_schools_login_is_not_taken_over(run: Run) -> None:
    run(*SCHOOL)
    run("add-school", "no2", *SCHOOL[2:])
    run("create-admin", "no1", "wang")
    refused = run("create-admin", "no2", "wang")
    assert refused.exit_code == EXIT_CODE[Code.CONFLICT]
    assert "This login is taken" in refused.stderr


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_without_tables_is_one_sentence(
    kind: str, tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.create_database() if kind == "postgresql" else f"sqlite:///{tmp_path}/new.db"
    config = write_config(tmp_path / "server.toml", url)
    result = CliRunner().invoke(app, [*SCHOOL, "--config", str(config)])
    assert result.exit_code == EXIT_CODE[Code.UNAVAILABLE]
    assert "card-server migrate" in result.stderr
    assert result.stderr.count("\n") == 1


def _password(result: Result) -> str:
    assert result.exit_code == 0, result.output
    found = re.search(r"once with (\S+) and", result.stdout)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (SCHOOL, Code.CONFLICT, "There is a school with this code already."),
        (("add-school", "No 1", "n", "--signature", "s"), Code.INVALID, "is no code"),
        ((*SCHOOL[:1], "b", *SCHOOL[2:], "--zone", "Mars"), Code.INVALID, "no time zone"),
        (("create-admin", "no2", "wang"), Code.NOT_FOUND, "There is no school no2; there are: no1"),
        (("add-reader", "no2", "a", "n", "p"), Code.NOT_FOUND, "There is no school no2"),
        (("add-reader", "no1", "A", "n", "p"), Code.INVALID, "is no code"),
        (("add-reader", "no1", "a", "n", "p", "--direction", "up"), Code.INVALID, "in, out"),
    ],
    ids=str,
)
def test_a_mistake_is_one_sentence_and_its_exit_code(
    run: Run, words: tuple[str, ...], code: Code, said: str
) -> None:
    run(*SCHOOL)
    result = run(*words)
    assert (result.exit_code, result.stdout) == (EXIT_CODE[code], "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


EVERY = [
    *[(name,) for name in ("web", "ingest", "notify", "clock", "all", "migrate", "doctor")],
    SCHOOL,
    ("create-admin", "no1", "wang"),
    ("add-reader", "no1", "a", "n", "p"),
]


@pytest.mark.parametrize("words", EVERY, ids=lambda words: words[0])
def test_every_command_names_what_is_wrong_with_its_settings(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    config = tmp_path / "server.toml"
    config.write_text('database_url = "sqlite://"\ndata_key = "short"\n')
    result = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert result.exit_code == EXIT_CODE[Code.INVALID]
    assert "data_key: " in result.stderr
    assert "web_secret: " in result.stderr
    assert "short" not in result.stderr


@pytest.mark.parametrize("words", EVERY, ids=lambda words: words[0])
def test_every_command_says_that_its_settings_are_not_there(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, [*words, "--config", str(tmp_path / "none.toml")])
    assert result.exit_code == EXIT_CODE[Code.INVALID]
    assert "The settings cannot be read" in result.stderr


def test_the_database_is_brought_up_again_and_again(tmp_path: Path) -> None:
    config = write_config(tmp_path / "server.toml", f"sqlite:///{tmp_path}/campus.db")
    for _ in range(2):
        result = CliRunner().invoke(app, ["migrate", "--config", str(config)])
        assert result.exit_code == 0
        assert "The database is at revision" in result.stdout


def test_a_new_key_is_another_one_each_time_and_fits() -> None:
    keys = [CliRunner().invoke(app, ["new-key"]).stdout.strip() for _ in range(2)]
    assert keys[0] != keys[1]
    assert [len(base64.b64decode(key, validate=True)) for key in keys] == [32, 32]


def test_a_doubtful_installation_ends_the_doctor_with_unavailable(tmp_path: Path) -> None:
    config = write_config(tmp_path / "server.toml", f"sqlite:///{tmp_path}/none/campus.db")
    result = CliRunner().invoke(app, ["doctor", "--config", str(config)])
    assert result.exit_code == EXIT_CODE[Code.UNAVAILABLE]


def test_readers_certificates_are_made_and_revoked(tmp_path: Path) -> None:
    authority = ["--authority", str(tmp_path / "authority")]
    folder = ["--folder", str(tmp_path / "broker")]
    data = ["--data", str(tmp_path / "data")]
    reader = ["no1", "gate", *authority]
    too_early = CliRunner().invoke(app, ["reader-certificate", *reader])
    assert too_early.exit_code in EXIT_CODE.values()
    assert too_early.stderr.count("\n") == 1
    for words in (
        ["broker-config", "--host", "localhost", *authority, *folder, *data],
        ["reader-certificate", *reader],
        ["revoke-reader", *reader, *folder],
    ):
        result = CliRunner().invoke(app, words)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert "no1/gate is revoked." in result.stdout
