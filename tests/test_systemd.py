"""The systemd units are sound, hardened, and start commands that exist."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer import Typer
from typer.main import get_command

from card_server.commands import app as card_server
from card_server.config import PREFIX as SERVER_PREFIX
from card_server.config import Settings as ServerSettings
from reader_daemon.commands import app as reader_daemon
from reader_daemon.config import PREFIX as READER_PREFIX
from reader_daemon.config import Settings as ReaderSettings

FOLDER = Path(__file__).parent.parent / "systemd"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
APPS: dict[str, Typer] = {"card-server": card_server, "reader-daemon": reader_daemon}
INSTALLED = "/opt/campus-card/.venv/bin"


def _values(unit: str, name: str) -> list[str]:
    lines = (FOLDER / unit).read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def test_there_is_one_unit_for_each_process() -> None:
    assert SERVICES == [
        "card-server-clock.service",
        "card-server-ingest.service",
        "card-server-notify.service",
        "card-server-web.service",
        "reader-daemon.service",
    ]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_starts_a_command_that_exists(unit: str) -> None:
    (start,) = _values(unit, "ExecStart")
    path, *words = start.split()
    program = Path(path)
    assert str(program.parent) == INSTALLED
    assert (Path(sys.executable).parent / program.name).exists()
    known = get_command(APPS[program.name])
    assert len(words) == 1
    assert words[0] in known.commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_hands_over_settings_that_exist(unit: str) -> None:
    credentials = {value.partition(":")[0] for value in _values(unit, "LoadCredential")}
    fields = {f"{SERVER_PREFIX}{name.upper()}" for name in ServerSettings.model_fields}
    fields |= {f"{READER_PREFIX}{name.upper()}" for name in ReaderSettings.model_fields}
    fields |= {f"{SERVER_PREFIX}CONFIG", f"{READER_PREFIX}CONFIG"}
    variables = dict(value.split("=", 1) for value in _values(unit, "Environment"))
    assert {name.removesuffix("_FILE") for name in variables} <= fields
    assert {value.removeprefix("%d/") for value in variables.values()} == credentials


def test_the_target_starts_the_whole_server() -> None:
    wanted = " ".join(_values("card-server.target", "Wants")).split()
    assert sorted(wanted) == [unit for unit in SERVICES if unit.startswith("card-server-")]


@pytest.mark.parametrize("unit", [*SERVICES, "card-server.target"])
def test_systemd_finds_nothing_to_say_about_a_unit(unit: str, tmp_path: Path) -> None:
    here = str(Path(sys.executable).parent)
    for path in (*FOLDER.glob("*.service"), *FOLDER.glob("*.target")):
        text = path.read_text(encoding="utf-8").replace(INSTALLED, here)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    # Without recursion: what it would say of the system's own units is not ours to mend.
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.stderr == ""
    assert verified.returncode == 0


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_exposes_little(unit: str) -> None:
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(FOLDER / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_administrators_command_has_the_settings_that_the_units_have() -> None:
    script = (FOLDER / "card-server-admin").read_text(encoding="utf-8")
    exported = dict(
        line.removeprefix("export ").split("=", 1)
        for line in script.splitlines()
        if line.startswith("export ")
    )
    credentials = dict(
        value.split(":") for value in _values("card-server-web.service", "LoadCredential")
    )
    variables = dict(
        value.split("=", 1) for value in _values("card-server-web.service", "Environment")
    )
    assert (
        exported.items()
        <= {
            name: credentials[value.removeprefix("%d/")] for name, value in variables.items()
        }.items()
    )
    assert {f"{SERVER_PREFIX}CONFIG", f"{SERVER_PREFIX}DATA_KEY_FILE"} <= set(exported)
