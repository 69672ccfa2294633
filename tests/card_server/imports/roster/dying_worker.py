"""A process that does one background job, and kills itself before its n-th statement.

    python -m tests.card_server.imports.roster.dying_worker URL POINT

A negative point counts the statements of a job that is left alone, and prints how many there are.
"""

import os
import signal
import sys
import threading
from typing import Any

from sqlalchemy import event

from card_server.jobs.work import Worker
from card_server.storage.database import open_engine
from card_server.storage.sealing import Seal


def main(url: str, point: int) -> None:
    engine = open_engine(url)
    done = 0

    def count(*_: Any) -> None:
        nonlocal done
        if done == point:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    Worker(engine, Seal(bytes(32))).do_next(threading.Event())
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
