"""`reader-daemon check`: each part that is wrong is named with what to do, and the code says so."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from schema.messages import CardState, ReaderState
from tests.harness.mosquitto import Mosquitto
from tests.harness.pcscd import Pcscd
from tests.harness.secure_broker import SecureBroker
from tests.reader_daemon.box import Box
from tests.reader_daemon.server_end import ServerEnd

ACTIVE = "04A1B2C3D4E5F6"


def _check(box: Box, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    argv = [*box.argv[:3], "check", *box.argv[4:]]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**box.env, **(env or {})},
    )
    return done.returncode, done.stdout + done.stderr


def _box(folder: Path, **settings: Any) -> Box:
    return Box(folder, **{"source": "tray", "tray_socket": str(folder / "tray"), **settings})


def test_a_reader_in_order_passes_while_its_daemon_runs(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    with Pcscd("Gate") as pcscd, ServerEnd(mosquitto) as server:
        box = _box(tmp_path, source="pcsc", pcsc_reader="Gate 00 00", broker_port=mosquitto.port)
        box.env |= pcscd.env
        box.give_cards(**{f"u{ACTIVE}": CardState.ACTIVE})
        with box:
            server.wait_for_status(state=ReaderState.ONLINE)
            code, said = _check(box)
            assert code == 0, said
            assert "PC/SC has the reader “Gate 00 00”." in said
            assert said.count("ok ") == 5
            # The check did not take the daemon's place at the broker.
            assert server.wait_for_status(state=ReaderState.ONLINE)
            assert not box.events("broker_lost")


def test_each_missing_part_is_named(tmp_path: Path) -> None:
    code, said = _check(_box(tmp_path, tray_socket=str(tmp_path / "nowhere" / "tray")))
    assert code == 1
    for part in ("card reader", "card list", "broker"):
        assert f"WRONG {part}:" in said
    assert "ok    disk:" in said


def test_an_absent_reader_is_told_with_what_there_is(tmp_path: Path) -> None:
    with Pcscd("Library") as pcscd:
        code, said = _check(_box(tmp_path, source="pcsc", pcsc_reader="Gate"), pcscd.env)
    assert code == 1
    assert "No single reader fits “Gate”" in said
    assert "“Library 00 00”" in said


def test_without_pcscd_it_says_how_to_start_it(tmp_path: Path) -> None:
    env = {"PCSCLITE_CSOCK_NAME": str(tmp_path / "none")}
    code, said = _check(_box(tmp_path, source="pcsc", pcsc_reader="Gate"), env)
    assert code == 1
    assert "systemctl start pcscd" in said


def test_a_missing_nfc_device_is_named(tmp_path: Path) -> None:
    code, said = _check(_box(tmp_path, source="nfcpy", nfcpy_path="tty:NONE0:pn532"))
    assert code == 1
    assert "nfcpy cannot open tty:NONE0:pn532" in said


def test_wrong_settings_are_named_and_nothing_runs(tmp_path: Path) -> None:
    box = _box(tmp_path, school="No 1")
    code, said = _check(box)
    assert code == 78
    assert "school" in said


@pytest.mark.parametrize("stranger", [False, True])
def test_only_the_schools_own_certificate_is_let_in(tmp_path: Path, stranger: bool) -> None:
    with SecureBroker(tmp_path / "ours", [("school", "gate")]) as broker:
        certificates = broker.certificates
        if stranger:
            with SecureBroker(tmp_path / "theirs", [("school", "gate")]) as other:
                certificates = other.certificates
        box = _box(
            tmp_path,
            broker_host=broker.host,
            broker_port=broker.reader_port,
            broker_ca=str(broker.certificates / "ca.crt"),
            broker_cert=str(certificates / "readers" / "school" / "gate.crt"),
            broker_key=str(certificates / "readers" / "school" / "gate.key"),
        )
        _, said = _check(box)
        assert ("WRONG broker:" in said) == stranger
        assert ("lets this reader in.\n" in said) != stranger


def test_a_broker_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    with (
        SecureBroker(tmp_path / "ours", [("school", "gate")]) as ours,
        SecureBroker(tmp_path / "theirs", []) as theirs,
    ):
        box = _box(
            tmp_path,
            broker_port=theirs.reader_port,
            broker_ca=str(ours.certificates / "ca.crt"),
            broker_cert=str(ours.certificates / "readers" / "school" / "gate.crt"),
            broker_key=str(ours.certificates / "readers" / "school" / "gate.key"),
        )
        code, said = _check(box)
    assert code == 1
    assert "cannot be reached or trusted" in said


def test_a_daemon_connects_with_its_certificate(tmp_path: Path) -> None:
    with SecureBroker(tmp_path / "ours", [("school", "gate")]) as broker:
        box = _box(
            tmp_path,
            broker_port=broker.reader_port,
            broker_ca=str(broker.certificates / "ca.crt"),
            broker_cert=str(broker.certificates / "readers" / "school" / "gate.crt"),
            broker_key=str(broker.certificates / "readers" / "school" / "gate.key"),
        )
        with box:
            box.wait_for_event("broker_connected")
            broker.kill()
            box.wait_for_event("broker_lost")
            broker.start()
            assert box.stop() == 0
