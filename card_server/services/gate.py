"""The school gate (校门): each passage makes its student's day anew, and parents are told of it."""

from collections.abc import Iterable
from datetime import date, datetime

from msgspec import Struct
from sqlalchemy.orm import Session

from card_server.attendance.day_book import DayBook
from card_server.attendance.facts import Passing
from card_server.attendance.homerooms import room_on, stays_of
from card_server.attendance.loading import Reported, reported_to
from card_server.attendance.members import memberships_of
from card_server.attendance.notices import (
    Passed,
    Settled,
    messages_of,
    passed_late,
    settle_messages,
    suppression_of,
    told_again,
)
from card_server.attendance.plans import Plans, SchoolDays, is_judged_from, kept_plans
from card_server.attendance.pupils import Pupil, keys_of, never_seen
from card_server.attendance.rows import StudentKey
from card_server.attendance.tap_changes import by_of
from card_server.messages.queueing import NewMessage
from card_server.services.protocol import PlacedTap, Telling
from card_server.storage.bulk import Write, insert_missing
from card_server.taps.directory import Holder, SchoolFacts
from schema.tables.attendance import Presence
from schema.tables.messages import Message
from schema.tables.taps import DirectionBy, Effect


class Passage(Struct, gc=False):
    """One student at the gate, as the gate's clock says it."""

    tap: PlacedTap
    holder: Holder
    local: datetime
    """In the school's zone."""
    day: date


class _Group(Struct):
    """The passages of a batch, and the schools that they are of."""

    passages: list[Passage]
    facts: dict[int, SchoolFacts]
    schools: dict[int, SchoolDays]


def record_passages(session: Session, taps: list[PlacedTap], telling: Telling) -> list[Write]:
    """Judge the days of everybody who passed, each once for the batch."""
    group = _gather(taps)
    if not group.passages:
        return []
    pupils = _pupils(session, group, telling.now)
    _expect_former_holders(session, group, pupils, telling.now)
    everybody = list(pupils.values())
    keys = keys_of(everybody)
    plans = kept_plans(session, group.schools, keys, telling.now)
    book = DayBook(session, telling.now)
    _lock(session, book, everybody)
    reported = _reported(session, plans, group.schools, telling.now)
    book.read(everybody, plans, reported, book.unseen_since(everybody))
    for pupil in everybody:
        book.judge(pupil)
    book.rewrite_taps()
    settled = settle_messages(session, book, telling.now)
    messages = _judge_taps(book, group.passages, settled, telling)
    if telling.tell_parents:
        messages += _told_after_all(session, book, group, settled, telling)
    return [*book.writes(), Write(Message, messages)]


def _gather(taps: Iterable[PlacedTap]) -> _Group:
    """The taps of students whom the gate let in, in the order of their times."""
    group = _Group([], {}, {})
    for tap in taps:
        reader, school = tap.reader, tap.reader.school
        tap.direction = reader.direction
        tap.direction_by = DirectionBy.READER if reader.direction else None
        if not tap.is_admitted or tap.holder is None:
            continue
        if school.id not in group.facts:
            group.facts[school.id] = school
            group.schools[school.id] = SchoolDays(
                school.id,
                school.zone,
                school.double_tap_s,
                school.late_after_minute,
                school.register_version,
            )
        local = tap.occurred_at.astimezone(school.zone)
        group.passages.append(Passage(tap, tap.holder, local, local.date()))
    group.passages.sort(key=lambda one: (one.tap.occurred_at, one.tap.id))
    return group


def _pupils(session: Session, group: _Group, now: datetime) -> dict[StudentKey, Pupil]:
    """Everybody who passed, with the days on which; each day has its own homeroom."""
    today = {one.id: now.astimezone(one.zone).date() for one in group.schools.values()}
    earlier = {
        one.holder.student_id for one in group.passages if one.day < today[one.tap.reader.school.id]
    }
    stays = stays_of(session, earlier)
    pupils: dict[StudentKey, Pupil] = {}
    for passage in group.passages:
        tap, holder = passage.tap, passage.holder
        school_id, student_id = tap.reader.school.id, holder.student_id
        key = StudentKey(school_id, student_id)
        pupil = pupils.get(key)
        if pupil is None:
            school = group.schools[school_id]
            pupil = pupils[key] = Pupil(school, student_id, holder.homeroom_id, {})
        if passage.day not in pupil.days:
            pupil.days[passage.day] = room_on(stays, student_id, passage.day, holder.homeroom_id)
        pupil.fresh.append(
            Passing(tap.id, tap.occurred_at, tap.reader.id, tap.reader.direction, tap.clock_suspect)
        )
    return pupils


def _expect_former_holders(
    session: Session, group: _Group, pupils: dict[StudentKey, Pupil], now: datetime
) -> None:
    """Who left has no card since then: a tap that comes in late makes nobody absent who was gone.

    Hardly ever is a card nobody's any more when its tap comes in, and only then is this asked.
    """
    former: dict[int, set[int]] = {}
    for one in group.passages:
        if one.holder.unbound_at is not None and one.holder.unbound_at <= now:
            former.setdefault(one.tap.reader.school.id, set()).add(one.holder.student_id)
    for school_id, student_ids in former.items():
        for member in memberships_of(session, school_id, student_ids):
            pupils[StudentKey(school_id, member.student_id)].member = member


def _lock(session: Session, book: DayBook, pupils: list[Pupil]) -> None:
    """Lock the students; what is read after it must see what another process has just written.

    Students who were never seen get their rows in a transaction of its own: who holds locks must
    not wait for a row that another one inserts.
    """
    missing = book.lock_and_look(pupils)
    if missing:
        session.rollback()
        insert_missing(session, Presence, [never_seen(pupil) for pupil in missing])
        session.commit()
        book.lock_and_look(pupils)


def _reported(
    session: Session, plans: Plans, schools: dict[int, SchoolDays], now: datetime
) -> Reported:
    """What was judged already; of a day that nobody can be absent from yet, nothing was."""
    keys = []
    for key, plan in plans.items():
        due = is_judged_from(key, plan, schools[key.school_id].zone)
        if due is not None and due <= now:
            keys.append(key)
    return reported_to(session, keys)


def _judge_taps(
    book: DayBook, passages: Iterable[Passage], settled: Settled, telling: Telling
) -> list[NewMessage]:
    """Say of each tap what it was; the messages of those that count."""
    messages: list[NewMessage] = []
    for passage in passages:
        tap = passage.tap
        judged = book.judgements.get((passage.holder.student_id, tap.id))
        if judged is None:
            continue
        tap.direction, tap.effect = judged.direction, judged.effect
        tap.direction_by = by_of(judged, tap.reader.direction is not None)
        if telling.tell_parents and tap.effect is not Effect.DOUBLE:
            passed = Passed(
                tap.id, tap.effect, judged.late_minutes, passage.local, suppression_of(tap)
            )
            school = tap.reader.school
            messages += messages_of(school, passage.holder, passed, settled, telling.now)
    return messages


def _told_after_all(
    session: Session, book: DayBook, group: _Group, settled: Settled, telling: Telling
) -> list[NewMessage]:
    """The messages of taps on record that are judged otherwise now; there are hardly ever any."""
    messages: list[NewMessage] = []
    if not book.tap_changes:
        return messages
    holders = {(one.tap.reader.school.id, one.holder.student_id): one for one in group.passages}
    for change in told_again(session, book.tap_changes):
        passage = holders[change.school_id, change.student_id]
        school = group.facts[change.school_id]
        passed = passed_late(school, change, telling.now)
        messages += messages_of(school, passage.holder, passed, settled, telling.now)
    return messages
