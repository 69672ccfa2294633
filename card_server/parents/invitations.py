"""Inviting guardians (家长邀请): the message with the link, the first that a number gets."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.messages.queueing import News, queue_news
from card_server.messages.rules import rules_of
from card_server.messages.segments import size_of
from card_server.messages.templates import texts_of
from card_server.parents.children import is_at_school
from card_server.parents.links import TOKEN_LENGTH, make_link, make_links
from card_server.people.guardians import lock_guardian
from schema.tables.messages import Message, MessageKind, PhoneStanding
from schema.tables.people import Guardian, Guardianship, Language, Student

MOST_AT_ONCE: Final = 500
AGAIN_AFTER: Final = timedelta(minutes=10)
"""Within this a second invitation is a button pressed twice."""
MANY_AGAIN_AFTER: Final = timedelta(days=3)
"""Who was invited within this is not invited again along with others."""


@dataclass(frozen=True)
class Web:
    """How parents reach the server, and the secret that signs their links."""

    secret: str
    address: str


class Invitee(NamedTuple):
    """A guardian who can be invited, and one of their children."""

    guardian_id: int
    student_id: int
    language: Language


@dataclass(frozen=True)
class Invitation:
    """What inviting many would be: how many, and what it costs."""

    invitees: Sequence[Invitee]
    waiting: int
    """How many could be invited altogether."""
    segments: int
    price: int
    """In thousandths of the currency."""
    currency: str


def invite_one(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    guardian_id: int,
    web: Web,
    now: datetime,
) -> None:
    """Send one guardian a new link, verified or not.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) for whom no message can reach and for who was
    sent one a moment ago, AppError(UNAVAILABLE) without an address.
    """
    guardian, _tie = lock_guardian(session, school_id, student_id, guardian_id)
    if not guardian.phone_tail:
        raise AppError(Code.CONFLICT, "This guardian has no mobile number.")
    standing = session.get(PhoneStanding, (school_id, guardian.phone_hash))
    if standing is not None and (standing.stopped_at or standing.bad_at):
        raise AppError(Code.CONFLICT, "No message goes to this number: it is stopped or wrong.")
    last = session.scalar(
        select(func.max(Message.created_at)).where(
            Message.school_id == school_id,
            Message.guardian_id == guardian_id,
            Message.kind == MessageKind.INVITATION,
        )
    )
    if last is not None and now - last < AGAIN_AFTER:
        raise AppError(Code.CONFLICT, "A link was sent a moment ago. Wait ten minutes.")
    link = make_link(session, school_id, guardian_id, now, web.secret, web.address)
    _queue(session, school_id, Invitee(guardian_id, student_id, guardian.language), link, now)
    subject, details = f"guardian:{guardian_id}", {"student": student_id}
    note(session, school_id, actor, "parent.link_sent", subject, details=details)


def plan_invitations(
    session: Session, school_id: int, homeroom_id: int | None, web: Web, now: datetime
) -> Invitation:
    """Whom it would reach to invite a homeroom, or all within the caller's reach."""
    wanted = _select_uninvited(session, school_id, homeroom_id, now)
    waiting = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    found = [Invitee(*row) for row in session.execute(wanted.limit(MOST_AT_ONCE))]
    texts, rules = texts_of(session, school_id), rules_of(session, school_id)
    sample = {"link": f"{web.address.rstrip('/')}/p/{'x' * TOKEN_LENGTH}"}
    segments = 0
    for language, count in Counter(one.language for one in found).items():
        body = texts.write(MessageKind.INVITATION, language, sample).body
        segments += count * size_of(body).segments
    price = segments * rules.price_per_segment
    return Invitation(found, waiting, segments, price, rules.currency)


def invite_many(
    session: Session,
    actor: Actor,
    school_id: int,
    homeroom_id: int | None,
    web: Web,
    now: datetime,
) -> int:
    """Send a link to those whose number nobody has shown to be theirs; how many that were.

    At most 500 at once. Raises AppError(UNAVAILABLE) without an address.
    """
    wanted = _select_uninvited(session, school_id, homeroom_id, now).limit(MOST_AT_ONCE)
    found = [Invitee(*row) for row in session.execute(wanted)]
    ids = [one.guardian_id for one in found]
    links = make_links(session, school_id, ids, now, web.secret, web.address)
    for one in found:
        _queue(session, school_id, one, links[one.guardian_id], now)
    subject = f"homeroom:{homeroom_id}" if homeroom_id else f"school:{school_id}"
    details = {"guardians": len(found)}
    note(session, school_id, actor, "parent.links_sent", subject, details=details)
    return len(found)


def _queue(session: Session, school_id: int, one: Invitee, link: str, now: datetime) -> None:
    slots = {language: {"link": link} for language in Language}
    news = News(MessageKind.INVITATION, one.student_id, now, slots)
    queue_news(session, school_id, [news], now, guardian_id=one.guardian_id)


def _select_uninvited(
    session: Session, school_id: int, homeroom_id: int | None, now: datetime
) -> Select[*tuple[Any, ...]]:
    """Each guardian once, with the first of the children within reach."""
    invited = select(Message.guardian_id).where(
        Message.school_id == school_id,
        Message.kind == MessageKind.INVITATION,
        Message.created_at > now - MANY_AGAIN_AFTER,
    )
    silent = select(PhoneStanding.phone_hash).where(
        PhoneStanding.school_id == school_id,
        PhoneStanding.stopped_at.is_not(None) | PhoneStanding.bad_at.is_not(None),
    )
    wanted = (
        select(Guardian.id, func.min(Student.id), Guardian.language)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .join(Student, Student.id == Guardianship.student_id)
        .where(
            Guardian.school_id == school_id,
            Student.school_id == school_id,
            is_at_school(),
            Guardianship.is_told,
            Guardian.verified_at.is_(None),
            Guardian.phone_tail != "",
            Guardian.phone_hash.not_in(silent),
            Guardian.id.not_in(invited),
        )
        .group_by(Guardian.id, Guardian.language)
        .order_by(Guardian.id)
    )
    return wanted if homeroom_id is None else wanted.where(Student.homeroom_id == homeroom_id)
