"""A private pcscd with virtual readers, apart from any other pcscd of the machine."""

import os
import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType

from tests.harness.ports import free_port
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_ENTRY = """\
FRIENDLYNAME "{name}"
DEVICENAME /dev/null:0x{port:04X}
LIBPATH {driver}
CHANNELID 0x{port:04X}

"""
# pcscd has its socket's path compiled in; a mount of its own gives it another /run.
_ISOLATED = (
    "mount -t tmpfs none /run && mkdir /run/pcscd && mount --bind {folder} /run/pcscd"
    " && exec {pcscd} -f -i -c {config}"
)


class Pcscd:
    """Started on entry; each name becomes a reader whose card speaks on `ports[name]`.

    pcscd names a reader "<name> 00 00". Every entry has a second slot, which stays empty, and a
    driver copy of its own: the driver opens its ports once per loaded library.
    """

    def __init__(self, *names: str) -> None:
        # Not in a test's own folder: a socket's path has at most 108 bytes.
        self._folder = Path(tempfile.mkdtemp(prefix="pcscd-"))
        self._config = self._folder / "reader.conf.d"
        self._config.mkdir()
        self.ports = {name: _free_pair() for name in names}
        self.env = {"PCSCLITE_CSOCK_NAME": str(self._folder / "run" / "pcscd.comm")}
        """What a client needs in its environment."""
        (self._folder / "run").mkdir()
        script = _ISOLATED.format(
            folder=self._folder / "run", pcscd=_find_pcscd(), config=self._config
        )
        namespace = "-m" if os.geteuid() == 0 else "-Urm"
        self._process = Process(
            ["unshare", namespace, "sh", "-c", script], self._folder / "pcscd.log"
        )
        for name in names:
            self._write_entry(name)

    @property
    def output(self) -> str:
        return self._process.output

    def start(self) -> None:
        """Returns once every plugged reader takes cards."""
        self._process.start()
        comm = Path(self.env["PCSCLITE_CSOCK_NAME"])
        wait_for(lambda: self._runs() and _answers(comm), what="pcscd")
        wait_for(self._all_listen, 15, "the virtual readers")

    def kill(self) -> None:
        """SIGKILL; its socket's file stays, as after a crash."""
        self._process.kill()

    def restart(self) -> None:
        """A restart as `systemctl restart pcscd` does it."""
        self._process.stop()
        self.start()

    def unplug(self, name: str) -> None:
        """The reader is gone; a virtual one can only go while pcscd restarts."""
        self._entry(name).unlink()
        self.restart()

    def plug(self, name: str) -> None:
        """The reader is back."""
        self._write_entry(name)
        self.restart()

    def _write_entry(self, name: str) -> None:
        driver = self._folder / f"libifdvpcd-{self.ports[name]}.so"
        shutil.copyfile(_DRIVER, driver)
        self._entry(name).write_text(_ENTRY.format(name=name, port=self.ports[name], driver=driver))

    def _entry(self, name: str) -> Path:
        return self._config / f"{self.ports[name]}.conf"

    def _runs(self) -> bool:
        assert self._process.exit_code is None, self.output
        return True

    def _all_listen(self) -> bool:
        listening = _listening_ports()
        return self._runs() and all(
            port in listening for name, port in self.ports.items() if self._entry(name).exists()
        )

    def __enter__(self) -> "Pcscd":
        """Between choosing a port and listening on it another process may take it: then others."""
        try:
            self.start()
        except TimeoutError:
            self._process.stop()
            for name in self.ports:
                self._entry(name).unlink()
                self.ports[name] = _free_pair()
                self._write_entry(name)
            self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stop()
        shutil.rmtree(self._folder)


def _find_pcscd() -> str:
    found = shutil.which("pcscd") or "/usr/sbin/pcscd"
    assert Path(found).exists(), "pcscd is not installed: apt-get install pcscd"
    assert _DRIVER.exists(), "no virtual reader: apt-get install vsmartcard-vpcd"
    return found


def _answers(comm: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(comm)) == 0


def _listening_ports() -> set[int]:
    """By the kernel's list: connecting to a virtual reader would put a card into it."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return {int(line.split()[1].split(":")[1], 16) for line in lines if line.split()[3] == "0A"}


def _free_pair() -> int:
    """A port that is free together with the next one, which the second slot takes."""
    port, following = free_port(), free_port()
    while following != port + 1:
        port, following = following, free_port()
    return port
