"""Registration for the term (入学注册): the first tap of a term registers the student."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.services.protocol import PlacedTap, Telling
from card_server.storage.bulk import Write, fetch
from schema.tables.registration import Registration
from schema.tables.school import Term
from schema.tables.taps import Effect

_EARLIER_COUNTS = (
    "homeroom_id = excluded.homeroom_id, at = excluded.at, noted_at = excluded.noted_at, "
    "reader_id = excluded.reader_id, tap_id = excluded.tap_id, by = excluded.by, "
    "reason = excluded.reason WHERE excluded.at < registration.at"
)


class TermDays(NamedTuple):
    """A term of a school; both days belong to it."""

    id: int
    starts_on: date
    ends_on: date


class RegistrationKey(Struct, frozen=True, gc=False, order=True):
    """Which registration."""

    school_id: int
    term_id: int
    student_id: int


class Registered(Struct, gc=False):
    """When somebody registered, as far as is known (a part of a row)."""

    school_id: int
    term_id: int
    student_id: int
    at: datetime


class Came(Struct, gc=False):
    """A registration by card (a row of `registration`)."""

    school_id: int
    term_id: int
    student_id: int
    homeroom_id: int
    at: datetime
    noted_at: datetime
    reader_id: int
    tap_id: UUID
    by: str = ""
    reason: str = ""


class Coming(NamedTuple):
    """A valid card at registration, and the term that it counts for; None in the holidays."""

    tap: PlacedTap
    key: RegistrationKey | None


def find_term(terms: Iterable[TermDays], day: date) -> int | None:
    """The term of a day; None on a day of no term."""
    return next((one.id for one in terms if one.starts_on <= day <= one.ends_on), None)


def decide(
    comings: Iterable[Coming], known: Mapping[RegistrationKey, datetime], now: datetime
) -> list[Came]:
    """Set each tap's effect, and say who is registered by these taps.

    The first time counts, whatever order taps come in: one that comes later and happened earlier
    takes the place of the one before.
    """
    first = dict(known)
    made: dict[RegistrationKey, Came] = {}
    for tap, key in sorted(comings, key=_time_order):
        if tap.holder is None:
            continue
        if key is None:
            tap.effect = Effect.NO_TERM
        elif key in first and first[key] <= tap.occurred_at:
            tap.effect = Effect.DOUBLE
        else:
            tap.effect = Effect.REGISTERED
            first[key] = tap.occurred_at
            made[key] = Came(
                key.school_id,
                key.term_id,
                key.student_id,
                tap.holder.homeroom_id,
                tap.occurred_at,
                now,
                tap.reader.id,
                tap.id,
            )
    return [made[key] for key in sorted(made)]


def record_registrations(session: Session, taps: list[PlacedTap], telling: Telling) -> list[Write]:
    """Register whoever came; nobody is told by message."""
    valid = [tap for tap in taps if tap.is_admitted and tap.holder is not None]
    terms = _read_terms(session, {tap.reader.school.id for tap in valid})
    comings = [_come(tap, terms) for tap in valid]
    keys = list({one.key for one in comings if one.key})
    known = {
        RegistrationKey(one.school_id, one.term_id, one.student_id): one.at
        for one in fetch(session, Registration, keys, Registered)
    }
    return [Write(Registration, decide(comings, known, telling.now), _EARLIER_COUNTS)]


def _read_terms(session: Session, school_ids: set[int]) -> dict[int, list[TermDays]]:
    terms: dict[int, list[TermDays]] = {}
    found = session.execute(
        select(Term.school_id, Term.id, Term.starts_on, Term.ends_on).where(
            Term.school_id.in_(school_ids)
        )
    )
    for school_id, term_id, starts_on, ends_on in found:
        terms.setdefault(school_id, []).append(TermDays(term_id, starts_on, ends_on))
    return terms


def _come(tap: PlacedTap, terms: Mapping[int, Sequence[TermDays]]) -> Coming:
    school = tap.reader.school
    day = tap.occurred_at.astimezone(school.zone).date()
    term_id = find_term(terms.get(school.id, ()), day)
    if term_id is None or tap.holder is None:
        return Coming(tap, None)
    return Coming(tap, RegistrationKey(school.id, term_id, tap.holder.student_id))


def _time_order(coming: Coming) -> tuple[datetime, UUID]:
    return coming.tap.occurred_at, coming.tap.id
