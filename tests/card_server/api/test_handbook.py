"""The commands of the handbook do what it says, as they are written there."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from card_server.api.description import FILE
from tests.card_server.api.programs import Program
from tests.card_server.web.conftest import make_settings, serving
from tests.card_server.web.small_school import SmallSchool

_PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
_COMMANDS = [one for one in re.findall(r"```sh\n(.*?)```", _PAGE, re.DOTALL) if "curl" in one]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The handbook is the same for every database."""
    return sqlite_url


def test_each_command_is_answered(
    program: Program, school: SmallSchool, database_url: str, sessions: sessionmaker[Session]
) -> None:
    assert len(_COMMANDS) > 8
    with serving(make_settings(database_url)) as address:
        for command in _COMMANDS:
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", command],
                env=os.environ | {"CARD": address, "TOKEN": program.token},
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert ran.returncode == 0, command + ran.stderr
            if "If-None-Match" in command:
                assert ran.stdout.split() == ["304"]
            if "limit=0" in command:
                assert '"urn:campus-card:problem:invalid"' in ran.stdout


def test_the_table_names_every_address() -> None:
    paths = re.findall(r'"/api/v1(/[^"]+)": ', FILE.read_text(encoding="utf-8"))
    named = {
        re.sub(r"\{\w+\}", "{}", path)
        for line in _PAGE.splitlines()
        if line.startswith("| `/")
        for path in re.findall(r"`(/[^`]*)`", line.split("|")[1])
    }
    assert {re.sub(r"\{\w+\}", "{}", path) for path in paths} == named
