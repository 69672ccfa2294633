"""`card-server audit verify`: a whole log is said to be whole, a fault is named and ends in 1."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from card_server.audit.details import seal_details
from card_server.audit.writing import Actor, erase_details, note
from card_server.commands import app
from card_server.errors import EXIT_CODE, Code
from card_server.storage.database import open_engine, open_sessions
from tests.card_server.test_commands import write_config

Run = Callable[..., Result]
WANG = Actor("staff", 12, "金丝雀", "10.1.2.3")


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command with the settings of a database that has a log of a school and of the district."""
    monkeypatch.setenv("COLUMNS", "200")
    config = write_config(tmp_path / "server.toml", database_url)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--config", str(config)])

    assert invoke("add-school", "no1", "第一中学", "--signature", "一中").exit_code == 0
    engine = seal_details(open_engine(database_url), b"k" * 32)
    with open_sessions(engine).begin() as session:
        for number in range(5):
            note(session, 1, WANG, "student.day_seen", f"student:{number}")
            note(session, None, WANG, "staff.log_in", f"staff:{number}")
    engine.dispose()
    return invoke


@pytest.fixture
def change(database_url: str) -> Callable[..., None]:
    def execute(*statements: str) -> None:
        engine = open_engine(database_url)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    return execute


def anchor_of(output: str) -> str:
    [anchor] = re.findall(r"anchor to keep elsewhere: (\d+:[0-9a-f]{64})", output)
    return str(anchor)


def test_whole_logs_are_said_to_be_whole_and_name_nobody(run: Run) -> None:
    done = run("audit", "verify")
    assert done.exit_code == 0, done.output
    assert re.search(r"^district: \d+ entries, whole\.$", done.stdout, re.MULTILINE)
    assert re.search(r"^no1: \d+ entries, whole\.$", done.stdout, re.MULTILINE)
    assert "金丝雀" not in done.output
    assert "not sealed" not in done.output


def test_one_log_is_checked_alone(run: Run) -> None:
    assert run("audit", "verify", "--school", "no1").stdout.startswith("no1: ")
    assert run("audit", "verify", "--district").stdout.startswith("district: 5 entries")


@pytest.mark.parametrize(
    ("deeds", "said"),
    [
        (
            ("UPDATE audit_entry SET actor_id = 13 WHERE school_id = 0 AND seq = 2",),
            "  edited: entry 2\n",
        ),
        (
            (
                "DELETE FROM audit_detail WHERE school_id = 0 AND seq IN (2, 3)",
                "DELETE FROM audit_entry WHERE school_id = 0 AND seq IN (2, 3)",
            ),
            "  removed: entries 2 to 3\n",
        ),
        (
            (
                "DELETE FROM audit_detail WHERE school_id = 0 AND seq > 3",
                "DELETE FROM audit_entry WHERE school_id = 0 AND seq > 3",
            ),
            "  truncated: entries 4 to 5\n",
        ),
        (
            (
                "DELETE FROM audit_detail WHERE school_id = 0",
                "UPDATE audit_entry SET seq = 9 WHERE school_id = 0 AND seq = 2",
                "UPDATE audit_entry SET seq = 2 WHERE school_id = 0 AND seq = 4",
                "UPDATE audit_entry SET seq = 4 WHERE school_id = 0 AND seq = 9",
            ),
            "  swapped: entries 2 and 4\n",
        ),
        (
            ("DELETE FROM audit_detail WHERE school_id = 0 AND seq = 2",),
            "  detail removed: entry 2\n",
        ),
    ],
)
def test_a_fault_is_named_and_the_command_fails(
    run: Run, change: Callable[..., None], deeds: tuple[str, ...], said: str
) -> None:
    change(*deeds)
    done = run("audit", "verify")
    assert done.exit_code == 1
    assert said in done.stdout
    assert "district: " in done.stdout
    assert "NOT WHOLE" in done.stdout
    assert re.search(r"^no1: \d+ entries, whole\.$", done.stdout, re.MULTILINE)


def test_an_anchor_gives_away_who_cut_the_log_and_its_head(
    run: Run, change: Callable[..., None]
) -> None:
    anchor = anchor_of(run("audit", "verify", "--district").stdout)
    assert run("audit", "verify", "--district", "--anchor", anchor).exit_code == 0
    change(
        "DELETE FROM audit_detail WHERE school_id = 0 AND seq = 5",
        "DELETE FROM audit_entry WHERE school_id = 0 AND seq = 5",
        "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit_entry"
        " WHERE school_id = 0 AND seq = 4) WHERE school_id = 0",
    )
    assert run("audit", "verify", "--district").exit_code == 0
    done = run("audit", "verify", "--district", "--anchor", anchor)
    assert (done.exit_code, "truncated: entry 5" in done.stdout) == (1, True)


def test_erased_details_are_counted_and_no_fault(run: Run, database_url: str) -> None:
    engine = open_engine(database_url)
    with open_sessions(engine).begin() as session:
        erase_details(session, 1, "student:3", WANG)
    engine.dispose()
    done = run("audit", "verify", "--school", "no1")
    assert done.exit_code == 0
    assert "details erased, as the log itself says: 1\n" in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--school", "no9"), Code.NOT_FOUND),
        (("--school", "no1", "--district"), Code.INVALID),
        (("--anchor", f"1:{'0' * 64}"), Code.INVALID),
        (("--district", "--anchor", "nonsense"), Code.INVALID),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(run: Run, words: tuple[str, ...], code: Code) -> None:
    done = run("audit", "verify", *words)
    assert (done.exit_code, done.stdout) == (EXIT_CODE[code], "")
    assert done.stderr.strip()
