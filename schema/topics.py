"""The MQTT topics: campus/v1/<school>/<reader>/<kind>, one reader to a branch."""

import re
from enum import StrEnum
from typing import NamedTuple

ROOT = "campus/v1"
CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
"""What a school's or reader's code may be; it stands in topics, certificates and file names."""


class Kind(StrEnum):
    """The last level of a topic: what travels on it."""

    TAP = "tap"
    ACK = "ack"
    CARDS = "cards"
    EXITS = "exits"
    STATUS = "status"
    COMMAND = "command"


class Topic(NamedTuple):
    """One reader's topic; `str()` gives what goes over the wire."""

    school: str
    reader: str
    kind: Kind

    def __str__(self) -> str:
        return f"{ROOT}/{self.school}/{self.reader}/{self.kind}"


def parse_topic(text: str) -> Topic:
    """The parts of a topic. Raises ValueError for anything that is not one of ours."""
    levels = text.split("/")
    if len(levels) != 5 or f"{levels[0]}/{levels[1]}" != ROOT:
        raise ValueError("not a campus/v1 topic")
    school, reader, kind = levels[2:]
    if not CODE.fullmatch(school) or not CODE.fullmatch(reader):
        raise ValueError("not a school's or reader's code")
    return Topic(school, reader, Kind(kind))


def every_reader(kind: Kind) -> str:
    """The subscription filter for one kind of message from all readers of all schools."""
    return f"{ROOT}/+/+/{kind}"
