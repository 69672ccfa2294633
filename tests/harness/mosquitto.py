"""A private Mosquitto on a free loopback port."""

import shutil
from pathlib import Path
from types import TracebackType

from tests.harness.ports import free_port, is_open
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

_PLAIN = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
user root
"""


class Mosquitto:
    """Started on entry; `config` replaces the plain open listener ({port}, {folder} are filled).

    It has started when it answers at `port` and at all of `more_ports`.
    """

    def __init__(
        self, folder: Path, config: str = _PLAIN, port: int | None = None, *more_ports: int
    ) -> None:
        binary = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.host = "127.0.0.1"
        self.port = port or free_port()
        self._ports = (self.port, *more_ports)
        self._config = folder / "mosquitto.conf"
        folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text(config.format(port=self.port, folder=folder))
        self._process = Process([binary, "-c", str(self._config)], folder / "mosquitto.log")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return self._process.output

    def start(self) -> None:
        self._process.start()
        wait_for(self._answers, what="mosquitto")

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._process.kill()

    def stop(self) -> None:
        self._process.stop()

    def _answers(self) -> bool:
        assert self._process.exit_code is None, self.output
        return all(is_open(port) for port in self._ports)

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()
