"""Settings: each wrong value is named, and nothing starts with one."""

import re
from pathlib import Path

import pytest

from reader_daemon.config import ConfigError, FeedbackName, load_settings

WHOLE = """
school = "no1"
reader = "gate-east"
state_dir = "/var/lib/reader-daemon"
source = "pcsc"
pcsc_reader = "ACS ACR122U"
broker_host = "campus.example"
"""


def _load(folder: Path, text: str) -> str:
    path = folder / "reader.toml"
    path.write_text(text)
    try:
        load_settings(path)
    except ConfigError as error:
        return str(error)
    return ""


def test_a_whole_file_is_taken(tmp_path: Path) -> None:
    assert _load(tmp_path, WHOLE) == ""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('school = "No 1"', "school"),
        ('source = "camera"', "source"),
        ('source = "tray"', "tray_socket"),
        ('pcsc_reader = ""', "pcsc_reader"),
        ('feedback = ["gpio"]', "gpio_"),
        ('broker_cert = "/x"', "broker_key"),
        ('colour = "blue"', "colour"),
        ("repeat_s = -1", "repeat_s"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, line: str, named: str) -> None:
    key = line.split(" =", maxsplit=1)[0]
    rest = [each for each in WHOLE.splitlines() if not each.startswith(f"{key} =")]
    assert named in _load(tmp_path, "\n".join([*rest, line]))


def test_the_handbooks_settings_can_be_used_as_they_stand(tmp_path: Path) -> None:
    handbook = Path(__file__).parents[2] / "docs" / "readers.md"
    blocks = re.findall(r"```toml\n(.*?)```", handbook.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    assert _load(tmp_path, blocks[0]) == ""


def test_a_missing_file_and_a_broken_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_settings(tmp_path / "none.toml")
    assert "cannot be read" in _load(tmp_path, "school = ")


def test_the_environment_wins_and_files_carry_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reader.toml"
    path.write_text(WHOLE)
    (tmp_path / "host").write_text("other.example\n")
    monkeypatch.setenv("READER_DAEMON_CONFIG", str(path))
    monkeypatch.setenv("READER_DAEMON_READER", "gate-west")
    monkeypatch.setenv("READER_DAEMON_FEEDBACK", '["log", "sound"]')
    monkeypatch.setenv("READER_DAEMON_BROKER_HOST_FILE", str(tmp_path / "host"))
    settings = load_settings()
    assert settings.reader == "gate-west"
    assert settings.feedback == [FeedbackName.LOG, FeedbackName.SOUND]
    assert settings.broker_host == "other.example"
