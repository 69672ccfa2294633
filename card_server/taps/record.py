"""Recording taps: known ones vanish, new ones are judged by their service and kept together."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.services.protocol import PlacedTap, Telling
from card_server.services.registry import SERVICES
from card_server.storage.bulk import Write, fetch, write_all
from card_server.taps.directory import CardFacts, CardKey, Directory, ReaderFacts
from card_server.taps.occurred import LastTap, ran_backwards
from card_server.webhooks.outbox import tell_of_taps
from schema.messages import Decision, Refusal, Rejection
from schema.tables.readers import Direction, Purpose
from schema.tables.taps import DirectionBy, Effect, Tap


class ReceivedTap(Struct, frozen=True, gc=False):
    """A tap as it came, with the time that we believe."""

    id: UUID
    reader: ReaderFacts
    boot: int | None
    """None, like `seq`, for a tap of another system."""
    seq: int | None
    uid: str
    tapped_at: datetime
    sent_at: datetime
    received_at: datetime
    occurred_at: datetime
    clock_suspect: bool
    decision: Decision
    reason: Refusal | None
    cards_version: int


class Recorded(NamedTuple):
    """What became of a batch; every tap of it is in one of the two."""

    kept: list[ReceivedTap]
    """On record now, whether new or known before."""
    rejected: list[tuple[ReceivedTap, Rejection]]


class TapRow(Struct, gc=False):
    """A row of `tap`."""

    school_id: int
    id: UUID
    reader_id: int
    boot: int | None
    seq: int | None
    uid: str
    student_id: int | None
    tapped_at: datetime
    sent_at: datetime
    received_at: datetime
    occurred_at: datetime
    clock_suspect: bool
    decision: Decision
    reason: Refusal | None
    cards_version: int
    direction: Direction | None
    direction_by: DirectionBy | None
    effect: Effect


class IdKey(Struct, frozen=True, gc=False):
    """A tap by its id."""

    school_id: int
    id: UUID


class SeqKey(Struct, frozen=True, gc=False):
    """A tap by its place in its reader's order."""

    school_id: int
    reader_id: int
    boot: int
    seq: int


class Known(Struct, frozen=True, gc=False):
    """What tells a tap that came again from another one under its name."""

    school_id: int
    id: UUID
    reader_id: int
    boot: int | None
    seq: int | None
    uid: str
    tapped_at: datetime


def record_taps(
    session: Session, received: list[ReceivedTap], directory: Directory, telling: Telling
) -> Recorded:
    """Record a batch; the caller commits. The session must have nothing else to commit yet.

    New taps are the rule: they are judged and written at once, and only when the database finds
    some known is the attempt rolled back and made again without those.
    """
    cards = directory.cards(session, {_card_key(tap) for tap in received})
    rejected: list[tuple[ReceivedTap, Rejection]] = []
    fresh = _first_of_each(received, rejected)
    while fresh:
        last: dict[int, LastTap] = {}
        placed = [_place(tap, cards[_card_key(tap)], last) for tap in fresh]
        writes = _judge(session, placed, telling)
        writes += _tell_webhooks(session, fresh, placed, writes, telling)
        rows = [_row(tap, place) for tap, place in zip(fresh, placed, strict=True)]
        try:
            write_all(session, [Write(Tap, rows), *writes])
        except IntegrityError:
            session.rollback()
            before, fresh = len(fresh), _without_known(session, fresh, rejected)
            if len(fresh) == before:
                raise
        else:
            for tap in fresh:
                tap.reader.last = last.get(tap.reader.id, tap.reader.last)
            break
    if not rejected:
        return Recorded(received, rejected)
    return _sort_out(received, rejected)


def _place(tap: ReceivedTap, card: CardFacts | None, newest: dict[int, LastTap]) -> PlacedTap:
    """Find whose tap it is, and whether its time can be believed beside its neighbours'.

    `newest` is each reader's newest tap of this attempt, of those whose time is believed. The
    reader itself learns of it only when the attempt has worked, or a second attempt would compare
    the taps with themselves.
    """
    reader = tap.reader
    suspect = tap.clock_suspect
    if tap.boot is not None and tap.seq is not None:
        this = LastTap(tap.boot, tap.seq, tap.occurred_at)
        last = newest.get(reader.id, reader.last)
        suspect = suspect or (last is not None and ran_backwards(last, this))
        if not suspect and (last is None or this[:2] > last[:2]):
            newest[reader.id] = this
    holder = card.holder_at(tap.occurred_at) if card else None
    return PlacedTap(
        tap.id,
        reader,
        holder,
        tap.decision is Decision.ADMITTED,
        tap.occurred_at,
        tap.received_at,
        suspect,
    )


def _card_key(tap: ReceivedTap) -> CardKey:
    return CardKey(tap.reader.school.id, tap.uid)


def _judge(session: Session, placed: list[PlacedTap], telling: Telling) -> list[Write]:
    groups: dict[Purpose, list[PlacedTap]] = {}
    for tap in placed:
        groups.setdefault(tap.reader.purpose, []).append(tap)
    return [
        write
        for purpose, group in groups.items()
        for write in SERVICES[purpose](session, group, telling)
    ]


def _tell_webhooks(
    session: Session,
    taps: list[ReceivedTap],
    placed: list[PlacedTap],
    writes: list[Write],
    telling: Telling,
) -> list[Write]:
    """Events for the schools that have webhooks; the others cost nothing but this look."""
    if not telling.tell_parents or not any(tap.reader.school.webhooks for tap in taps):
        return []
    return tell_of_taps(session, placed, {tap.id: tap.reason for tap in taps}, writes, telling.now)


def _row(tap: ReceivedTap, place: PlacedTap) -> TapRow:
    return TapRow(
        tap.reader.school.id,
        tap.id,
        tap.reader.id,
        tap.boot,
        tap.seq,
        tap.uid,
        place.holder.student_id if place.holder else None,
        tap.tapped_at,
        tap.sent_at,
        tap.received_at,
        tap.occurred_at,
        place.clock_suspect,
        tap.decision,
        tap.reason,
        tap.cards_version,
        place.direction,
        place.direction_by,
        place.effect,
    )


def _first_of_each(
    received: list[ReceivedTap], rejected: list[tuple[ReceivedTap, Rejection]]
) -> list[ReceivedTap]:
    """Each tap once, though a reader may have sent it several times while the server was away."""
    first: dict[tuple[int, UUID], ReceivedTap] = {}
    for tap in received:
        earlier = first.setdefault(_name(tap), tap)
        if earlier is not tap and _known(earlier) != _known(tap):
            rejected.append((tap, Rejection.ID_REUSED))
    return list(first.values())


def _without_known(
    session: Session,
    taps: list[ReceivedTap],
    rejected: list[tuple[ReceivedTap, Rejection]],
) -> list[ReceivedTap]:
    """Those that are neither on record nor take the name or place of one that is."""
    ids = [IdKey(tap.reader.school.id, tap.id) for tap in taps]
    places = [key for tap in taps if (key := _seq_key(tap))]
    on_record = {(row.school_id, row.id): row for row in fetch(session, Tap, ids, Known)}
    taken = {
        (row.reader_id, row.boot, row.seq): row.id for row in fetch(session, Tap, places, Known)
    }
    fresh = []
    for tap in taps:
        before = on_record.get(_name(tap))
        place = (tap.reader.id, tap.boot, tap.seq)
        if before is not None:
            if before != _known(tap):
                rejected.append((tap, Rejection.ID_REUSED))
        elif tap.boot is not None and taken.setdefault(place, tap.id) != tap.id:
            rejected.append((tap, Rejection.SEQ_REUSED))
        else:
            fresh.append(tap)
    return fresh


def _seq_key(tap: ReceivedTap) -> SeqKey | None:
    if tap.boot is None or tap.seq is None:
        return None
    return SeqKey(tap.reader.school.id, tap.reader.id, tap.boot, tap.seq)


def _known(tap: ReceivedTap) -> Known:
    school_id = tap.reader.school.id
    return Known(school_id, tap.id, tap.reader.id, tap.boot, tap.seq, tap.uid, tap.tapped_at)


def _name(tap: ReceivedTap) -> tuple[int, UUID]:
    return tap.reader.school.id, tap.id


def _sort_out(
    received: list[ReceivedTap], rejected: list[tuple[ReceivedTap, Rejection]]
) -> Recorded:
    """What is on record and what is not; copies of a rejected tap in the batch share its fate."""
    fate = {_known(tap): reason for tap, reason in rejected}
    kept, refused = [], []
    for tap in received:
        reason = fate.get(_known(tap))
        if reason is None:
            kept.append(tap)
        else:
            refused.append((tap, reason))
    return Recorded(kept, refused)
