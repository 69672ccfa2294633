"""Who holds which card and which reader stands where: looked up a batch at a time, and kept.

Whatever the directory knows of a school is forgotten as soon as that school's `register_version`
has risen (register.py raises it), so that a change of a card counts from the next batch on.
"""

import threading
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct, msgpack
from sqlalchemy import TextualSelect, select, text
from sqlalchemy.orm import Session

from card_server.messages.templates import SchoolTexts, texts_of
from card_server.messages.wanted import read_wanted
from card_server.storage.bulk import encode_rows, fetch, given_clause
from card_server.taps.occurred import LastTap
from schema.messages import CardState
from schema.tables.cards import Card, CardBinding
from schema.tables.messages import MessageKind
from schema.tables.people import Channel, Guardian, Guardianship, Language, Student
from schema.tables.readers import ByteOrder, Direction, Purpose, Reader
from schema.tables.school import School
from schema.tables.taps import Tap
from schema.tables.webhooks import EventKind, Webhook

_MOST_CARDS = 150_000
"""Cards kept at most, some 45 MB, so that a storm of invented numbers cannot fill the memory."""


class WebhookFacts(NamedTuple):
    """A webhook, and what it is told of."""

    id: int
    kinds: frozenset[EventKind]


class SchoolFacts(Struct, frozen=True):
    """What judging a tap needs of its school."""

    id: int
    code: str
    texts: SchoolTexts
    zone: ZoneInfo
    double_tap_s: int
    late_after_minute: int
    """Minutes after midnight in the school's zone."""
    stale_minutes: int
    register_version: int
    webhooks: tuple[WebhookFacts, ...] = ()
    """Which other systems are told of its taps; empty for nearly all schools."""


class ReaderFacts(Struct):
    """What judging a tap needs of its reader; `last` moves on with each tap."""

    id: int
    code: str
    school: SchoolFacts
    purpose: Purpose
    direction: Direction | None
    last: LastTap | None
    byte_order: ByteOrder = ByteOrder.AS_SENT


class _SchoolKey(Struct, frozen=True):
    code: str


class _Version(Struct):
    id: int
    code: str
    register_version: int


class ReaderKey(NamedTuple):
    """A reader, by its codes."""

    school: str
    reader: str


class CardKey(Struct, frozen=True, gc=False):
    """A school's card, by its number."""

    school_id: int
    uid: str


class Told(NamedTuple):
    """A guardian who is told: of what, in which language and on which way."""

    guardian_id: int
    language: Language
    wanted: frozenset[MessageKind]
    channel: Channel = Channel.SMS


class Holder(Struct, frozen=True, gc=False, array_like=True):
    """The student whose card it was for a while."""

    student_id: int
    homeroom_id: int
    name: str
    told: tuple[Told, ...]
    bound_at: datetime
    unbound_at: datetime | None


class CardFacts(Struct, frozen=True, gc=False, array_like=True):
    """A card, its state, and everybody whose it was."""

    state: CardState
    state_since: datetime
    holders: tuple[Holder, ...]

    def holder_at(self, moment: datetime) -> Holder | None:
        """The student whose valid card it was at that moment."""
        if self.state is not CardState.ACTIVE and moment >= self.state_since:
            return None
        for holder in self.holders:
            if holder.bound_at <= moment and (
                holder.unbound_at is None or moment < holder.unbound_at
            ):
                return holder
        return None


_PACK = msgpack.Encoder().encode
_UNPACK = msgpack.Decoder(CardFacts).decode


class Directory:
    """The kept part of the register; one per ingest process, for all its threads.

    Cards are kept packed: as objects those of a district take three times the memory.
    """

    def __init__(self) -> None:
        self._schools: dict[str, SchoolFacts] = {}
        self._readers: dict[ReaderKey, ReaderFacts] = {}
        self._cards: dict[CardKey, bytes | None] = {}
        self._lock = threading.Lock()

    def readers(self, session: Session, keys: Iterable[ReaderKey]) -> dict[ReaderKey, ReaderFacts]:
        """Those of these readers that exist; first forgets the schools that have changed."""
        wanted = set(keys)
        with self._lock:
            self._refresh_schools(session, {key.school for key in wanted})
            missing = {key for key in wanted if key not in self._readers}
            for code in {key.school for key in missing} & self._schools.keys():
                self._learn_readers(session, self._schools[code])
            return {key: self._readers[key] for key in wanted if key in self._readers}

    def cards(self, session: Session, keys: Iterable[CardKey]) -> dict[CardKey, CardFacts | None]:
        """These cards, None for one that the school has not; one query for all not yet known."""
        wanted = set(keys)
        with self._lock:
            missing = {key for key in wanted if key not in self._cards}
            if missing:
                if len(self._cards) + len(missing) > _MOST_CARDS:
                    self._cards.clear()
                    missing = wanted
                self._cards.update(dict.fromkeys(missing))
                self._cards.update(_load_cards(session, list(missing)))
            packed = {key: self._cards[key] for key in wanted}
        return {key: _UNPACK(card) if card else None for key, card in packed.items()}

    def school_id(self, code: str) -> int | None:
        """The id of a school that was asked for before; None when there is none."""
        school = self._schools.get(code)
        return school.id if school else None

    def _refresh_schools(self, session: Session, codes: set[str]) -> None:
        for now in fetch(session, School, [_SchoolKey(code) for code in codes], _Version):
            known = self._schools.get(now.code)
            if known is None or known.register_version != now.register_version:
                self._forget(now.id, now.code)
                self._schools[now.code] = _school_facts(session, now.id)

    def _forget(self, school_id: int, code: str) -> None:
        self._readers = {key: kept for key, kept in self._readers.items() if key.school != code}
        self._cards = {key: kept for key, kept in self._cards.items() if key.school_id != school_id}

    def _learn_readers(self, session: Session, school: SchoolFacts) -> None:
        for reader in session.scalars(select(Reader).where(Reader.school_id == school.id)):
            key = ReaderKey(school.code, reader.code)
            if key in self._readers:
                continue
            self._readers[key] = ReaderFacts(
                reader.id,
                reader.code,
                school,
                reader.purpose,
                reader.direction,
                _last_tap(session, school.id, reader.id),
                reader.byte_order,
            )


def _webhooks(session: Session, school_id: int) -> tuple[WebhookFacts, ...]:
    enabled = select(Webhook).where(Webhook.school_id == school_id, Webhook.disabled_at.is_(None))
    return tuple(WebhookFacts(one.id, one.wanted) for one in session.scalars(enabled))


def _school_facts(session: Session, school_id: int) -> SchoolFacts:
    school = session.get_one(School, school_id)
    return SchoolFacts(
        school.id,
        school.code,
        texts_of(session, school_id),
        ZoneInfo(school.zone),
        school.double_tap_s,
        _minute_of_day(school.late_after),
        school.stale_minutes,
        school.register_version,
        _webhooks(session, school_id),
    )


def _minute_of_day(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _last_tap(session: Session, school_id: int, reader_id: int) -> LastTap | None:
    row = session.execute(
        select(Tap.boot, Tap.seq, Tap.occurred_at)
        .where(
            Tap.school_id == school_id,
            Tap.reader_id == reader_id,
            Tap.boot.is_not(None),
            Tap.clock_suspect.is_(False),
        )
        .order_by(Tap.boot.desc(), Tap.seq.desc())
        .limit(1)
    ).first()
    return LastTap(*row) if row else None  # type: ignore[arg-type]


_HOLDERS = """
SELECT card.school_id, card.uid, card.state, card.state_since,
       card_binding.student_id, card_binding.bound_at,
       coalesce(card_binding.unbound_at, card.expires_at) AS unbound_at,
       student.homeroom_id, student.name, guardian.id AS guardian_id, guardian.language,
       guardianship.wanted, guardianship.channel
FROM {given}
JOIN card ON card.school_id = given.school_id AND card.uid = given.uid
LEFT JOIN card_binding ON card_binding.card_id = card.id
LEFT JOIN student ON student.id = card_binding.student_id
LEFT JOIN guardianship ON guardianship.student_id = student.id AND guardianship.is_told
LEFT JOIN guardian ON guardian.id = guardianship.guardian_id
ORDER BY card.id, card_binding.id, guardian.id
"""
"""A row per card, holder and guardian who is told."""


@cache
def _holders_query(dialect: str) -> TextualSelect:
    given = given_clause(dialect, Card, CardKey.__struct_fields__)
    return text(_HOLDERS.format(given=given)).columns(
        Card.school_id,
        Card.uid,
        Card.state,
        Card.state_since,
        CardBinding.student_id,
        CardBinding.bound_at,
        CardBinding.unbound_at,
        Student.homeroom_id,
        Student.name,
        Guardian.id.label("guardian_id"),
        Guardian.language,
        Guardianship.wanted,
        Guardianship.channel,
    )


def _load_cards(session: Session, keys: list[CardKey]) -> dict[CardKey, bytes]:
    """Cards, whose they were, and who is told: one query."""
    connection = session.connection()
    rows = connection.execute(_holders_query(connection.dialect.name), {"given": encode_rows(keys)})
    cards: dict[CardKey, bytes] = {}
    for (school_id, uid, state, since), of_card in groupby(rows.all(), itemgetter(0, 1, 2, 3)):
        holders = [
            Holder(
                student_id,
                homeroom_id,
                name,
                tuple(
                    Told(row[9], row[10], read_wanted(row[11]), row[12])
                    for row in of_binding
                    if row[9] is not None
                ),
                bound_at,
                unbound_at,
            )
            for (student_id, bound_at, unbound_at, homeroom_id, name), of_binding in groupby(
                of_card, itemgetter(4, 5, 6, 7, 8)
            )
            if student_id is not None
        ]
        cards[CardKey(school_id, uid)] = _PACK(CardFacts(state, since, tuple(holders)))
    return cards
