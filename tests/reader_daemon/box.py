"""A reader daemon as a process of its own, with its settings, and what it did."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from reader_daemon.cardlist import CardList
from reader_daemon.spool import Spool
from schema.messages import CardsSnapshot, CardState, ListedCard, Tap
from tests.harness.processes import Process
from tests.harness.waiting import wait_for

_NOBODY_LISTENS = 1


class Box(Process):
    """`settings` are added to what every test needs; without a broker it works all the same."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None, **settings: Any) -> None:
        self.state_dir = folder / "state"
        values: dict[str, object] = {
            "school": "school",
            "reader": "gate",
            "state_dir": str(self.state_dir),
            "broker_host": "127.0.0.1",
            "broker_port": _NOBODY_LISTENS,
            "repeat_s": 0.2,
            "heartbeat_s": 0.2,
            **settings,
        }
        self.config = folder / "reader.toml"
        self.config.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()))
        argv = [sys.executable, "-c", "from reader_daemon.commands import app; app()"]
        super().__init__([*argv, "run", "--config", str(self.config)], folder / "reader.log", env)

    def __enter__(self) -> Self:
        self.start()
        return self

    def give_cards(self, **cards: CardState) -> None:
        """A card list from an earlier day, by uid (with a letter `u` before it)."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        listed = [ListedCard(uid[1:], state) for uid, state in cards.items()]
        CardList(self.state_dir / "cards.json").apply(CardsSnapshot(7, 0, 1, listed))

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        lines = [line for line in self.output.splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def wait_for_event(self, name: str, **fields: object) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            assert self.exit_code is None or name == "stopped", self.output
            return [e for e in self.events(name) if fields.items() <= e.items()]

        return wait_for(found, 15, f"the event {name} {fields} in the log")[-1]

    def taps(self) -> list[Tap]:
        """What the spool of a stopped daemon holds."""
        with Spool(self.state_dir / "spool.db") as spool:
            return [kept.tap for kept in spool.load(spool.waiting_ids())]
