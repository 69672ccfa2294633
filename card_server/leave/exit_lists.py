"""What to tell a gate's reader so that it holds the exits that the school holds, and no others.

A list's version is made from what the list says, so it needs no counter, and two processes that
make the same list agree on it. Permits have no version: all of them go with each answer.
"""

import hashlib
import threading
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.cards.byte_order import turn
from card_server.leave.exits import NOBODY, Exits, read_exits
from card_server.school_time import day_of
from card_server.taps.directory import ReaderFacts
from schema.messages import (
    CARDS_PER_PART,
    ExitPermits,
    ExitsMessage,
    ExitsSnapshot,
    HeldCards,
    Permit,
    ReaderState,
    Status,
)
from schema.tables.attendance import AttendanceRules
from schema.tables.readers import ByteOrder, Direction, Purpose, Reader
from schema.tables.school import School


class ForGate(NamedTuple):
    """What one gate's reader is to be told."""

    school: str
    reader: str
    messages: list[ExitsMessage]


class _Key(NamedTuple):
    """While these are the same, so are the exits."""

    holds: bool
    register_version: int
    day: date


class ExitLists:
    """Each school's held exits, made again when the school or the day is another; for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[int, tuple[_Key, Exits]] = {}
        self._told: dict[int, Exits] = {}

    def answer(
        self, session: Session, reader: ReaderFacts, status: Status, now: datetime
    ) -> list[ExitsMessage]:
        """The messages for a reader that judges by the version that its status names.

        Nothing for a reader that holds nobody and has nobody to hold, or knows nothing of exits.
        """
        if status.exits_version is None or status.state is ReaderState.OFFLINE:
            return []
        exits = NOBODY
        if reader.purpose is Purpose.GATE and reader.direction is Direction.OUT:
            holds = select(AttendanceRules.holds_exits).where(
                AttendanceRules.school_id == reader.school.id
            )
            exits = self._make(
                session,
                reader.school.id,
                reader.school.zone,
                bool(session.scalar(holds)),
                reader.school.register_version,
                now,
            )
        exits = as_read(exits, reader.byte_order)
        version = version_of(exits)
        if version == status.exits_version:
            return _permits(exits, now) if version else []
        return [*_permits(exits, now), *_snapshot(exits, version, now)]

    def changed(self, session: Session, now: datetime) -> Iterator[ForGate]:
        """What has changed since it was asked last, for each reader at a gate that leads out."""
        schools = session.execute(
            select(
                School.id,
                School.code,
                School.zone,
                School.register_version,
                AttendanceRules.holds_exits,
            ).outerjoin(AttendanceRules, AttendanceRules.school_id == School.id)
        ).all()
        for school_id, code, zone, version, holds in schools:
            exits = self._make(session, school_id, ZoneInfo(zone), bool(holds), version, now)
            before = self._told.get(school_id)
            self._told[school_id] = exits
            # At first nobody knows what the readers have: their statuses tell.
            if before is not None and before is not exits and before != exits:
                yield from _tell_gates(session, school_id, code, before, exits, now)

    def _make(
        self,
        session: Session,
        school_id: int,
        zone: ZoneInfo,
        holds: bool,
        register_version: int,
        now: datetime,
    ) -> Exits:
        if not holds:
            return NOBODY
        key = _Key(holds, register_version, day_of(now, zone))
        with self._lock:
            made = self._made.get(school_id)
        if made and made[0] == key:
            return made[1]
        exits = read_exits(session, school_id, zone, now)
        with self._lock:
            self._made[school_id] = (key, exits)
        return exits


def version_of(exits: Exits) -> str:
    """The name of a list; empty for one that holds nobody."""
    if exits == NOBODY:
        return ""
    return hashlib.sha256(msgspec.json.encode((exits.others, exits.held))).hexdigest()[:16]


def as_read(exits: Exits, order: ByteOrder) -> Exits:
    """The exits with card numbers as a reader of this order reads them."""
    if order is ByteOrder.AS_SENT:
        return exits
    return Exits(
        exits.others,
        tuple(
            HeldCards(one.windows, [turn(uid, order) for uid in one.cards]) for one in exits.held
        ),
        tuple(Permit(turn(one.uid, order), one.from_at, one.until_at) for one in exits.permits),
    )


def _tell_gates(
    session: Session, school_id: int, school: str, before: Exits, exits: Exits, now: datetime
) -> Iterator[ForGate]:
    gates = session.execute(
        select(Reader.code, Reader.byte_order).where(
            Reader.school_id == school_id,
            Reader.purpose == Purpose.GATE,
            Reader.direction == Direction.OUT,
        )
    )
    is_same_list = (before.others, before.held) == (exits.others, exits.held)
    for reader, order in gates:
        own = as_read(exits, order)
        messages = _permits(own, now)
        if not is_same_list:
            messages += _snapshot(own, version_of(own), now)
        yield ForGate(school, reader, messages)


def _permits(exits: Exits, now: datetime) -> list[ExitsMessage]:
    """All permits, in parts; they go before the list, so that nobody is held for a moment."""
    permits = list(exits.permits)
    parts = _parts(len(permits))
    return [
        ExitPermits(now, part, parts, permits[part * CARDS_PER_PART : (part + 1) * CARDS_PER_PART])
        for part in range(parts)
    ]


def _snapshot(exits: Exits, version: str, now: datetime) -> list[ExitsMessage]:
    """The list in parts, of which each names so many cards at most."""
    others = list(exits.others)
    pieces = [
        HeldCards(group.windows, group.cards[at : at + CARDS_PER_PART])
        for group in exits.held
        for at in range(0, len(group.cards), CARDS_PER_PART)
    ]
    contents: list[list[HeldCards]] = [[]]
    room = CARDS_PER_PART
    for piece in pieces:
        if len(piece.cards) > room:
            contents.append([])
            room = CARDS_PER_PART
        contents[-1].append(piece)
        room -= len(piece.cards)
    return [
        ExitsSnapshot(version, part, len(contents), now, others, held)
        for part, held in enumerate(contents)
    ]


def _parts(count: int) -> int:
    return max(1, -(-count // CARDS_PER_PART))
