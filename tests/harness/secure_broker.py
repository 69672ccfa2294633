"""A private Mosquitto as a school runs it: TLS, one certificate per reader, the access list."""

from collections.abc import Iterable
from pathlib import Path

from card_server.broker import certificates
from card_server.broker.settings import BrokerPlan, write_broker_config
from tests.harness.mosquitto import Mosquitto
from tests.harness.ports import free_port


class SecureBroker:
    """Started on entry; readers are (school, reader) codes, each with its certificate."""

    def __init__(self, folder: Path, readers: Iterable[tuple[str, str]]) -> None:
        self.certificates = folder / "certificates"
        self.host = "127.0.0.1"
        self.reader_port = free_port()
        self.server_port = free_port()
        certificates.create_authority(self.certificates)
        certificates.issue_broker_certificate(self.certificates, [self.host])
        certificates.issue_server_certificate(self.certificates)
        for school, reader in readers:
            certificates.issue_reader_certificate(self.certificates, school, reader)
        plan = BrokerPlan(
            self.certificates,
            folder / "data",
            self.reader_port,
            self.host,
            self.server_port,
            self.host,
            user="root",
        )
        text = write_broker_config(folder, plan).read_text()
        self._mosquitto = Mosquitto(folder, text, self.reader_port, self.server_port)

    @property
    def output(self) -> str:
        return self._mosquitto.output

    def start(self) -> None:
        self._mosquitto.start()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._mosquitto.kill()

    def stop(self) -> None:
        self._mosquitto.stop()

    def __enter__(self) -> "SecureBroker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
