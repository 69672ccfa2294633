"""What a guardian wants to be told of a student, and whether the guardian may be told at all.

A wish sits on the link of guardian and student. Consent does as well, and is given for all of a
guardian's students at once; that a number is the guardian's own is known of the number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.calendar.hours import read_minute, write_minute
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.messages.kinds import WISHES
from card_server.messages.wanted import read_wanted, write_wanted
from card_server.seen import changes, refuse_if_changed
from schema.messages import utc_now
from schema.tables.messages import MessageKind
from schema.tables.people import Channel, ConsentWording, Guardian, Guardianship, Language

MOST_A_DAY = 200
"""More than any school sends one family about one child."""
_MINUTES = 24 * 60


@dataclass(frozen=True)
class Wishes:
    """What a guardian wants to be told of one student, on which way, and when not."""

    is_told: bool
    """Without this nothing is told, whatever is wanted."""
    wanted: frozenset[MessageKind]
    channel: Channel
    quiet_from: int | None
    """Minutes after midnight in the school's zone; None, as `quiet_until`: as the school has it."""
    quiet_until: int | None
    daily_limit: int | None
    """Messages a day about this student; None: as the school has it."""


def read_wishes(typed: Mapping[str, str]) -> Wishes:
    """What somebody typed: a tick for each kind by its name, times as 22:00. Raises FieldsError."""
    wrong = Problems()
    channel = typed.get("channel", "") or Channel.SMS
    if channel not in list(Channel):
        wrong.add("channel", _("Choose from the list."))
    limit = typed.get("daily_limit", "").strip()
    wishes = Wishes(
        is_told=bool(typed.get("is_told")),
        wanted=frozenset(kind for kind in WISHES if typed.get(kind.value)),
        channel=Channel(channel) if channel in list(Channel) else Channel.SMS,
        quiet_from=_read_minute(wrong, "quiet_from", typed),
        quiet_until=_read_minute(wrong, "quiet_until", typed),
        daily_limit=wrong.number("daily_limit", limit, 1, MOST_A_DAY) if limit else None,
    )
    wrong.refuse()
    return wishes


def _read_minute(wrong: Problems, field: str, typed: Mapping[str, str]) -> int | None:
    text = typed.get(field, "").strip()
    return read_minute(wrong, field, text) if text else None


def write_wishes(wishes: Wishes) -> dict[str, str]:
    """Wishes as a form shows them: the other way round than `read_wishes`."""
    return {
        "is_told": "1" if wishes.is_told else "",
        "channel": wishes.channel,
        "quiet_from": _write_minute(wishes.quiet_from),
        "quiet_until": _write_minute(wishes.quiet_until),
        "daily_limit": "" if wishes.daily_limit is None else str(wishes.daily_limit),
        **{kind.value: "1" if kind in wishes.wanted else "" for kind in WISHES},
    }


def _write_minute(minute: int | None) -> str:
    return "" if minute is None else write_minute(minute)


def wishes_of(link: Guardianship) -> Wishes:
    """What a guardian wants as it is kept."""
    return Wishes(
        link.is_told,
        read_wanted(link.wanted),
        link.channel,
        link.quiet_from,
        link.quiet_until,
        link.daily_limit,
    )


def shown_wishes(guardian: Guardian, link: Guardianship) -> dict[str, object]:
    """What a form shows of a guardian's wishes, to compare with what is kept when it comes back."""
    return {
        "language": guardian.language,
        "is_told": link.is_told,
        "wanted": link.wanted,
        "channel": link.channel,
        "quiet_from": link.quiet_from,
        "quiet_until": link.quiet_until,
        "daily_limit": link.daily_limit,
    }


def change_wishes(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    guardian_id: int,
    wishes: Wishes,
    seen: str | None = None,
    language: Language | None = None,
) -> None:
    """Keep what a guardian wants of one student; the language counts for all of the guardian's.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen, FieldsError for
    what cannot be.
    """
    _judge(wishes)
    guardian, link = _lock(session, school_id, student_id, guardian_id)
    before = shown_wishes(guardian, link)
    refuse_if_changed(before, seen)
    _refuse_unreachable(guardian, wishes)
    guardian.language = language or guardian.language
    link.is_told, link.wanted = wishes.is_told, write_wanted(wishes.wanted)
    link.channel, link.daily_limit = wishes.channel, wishes.daily_limit
    link.quiet_from, link.quiet_until = wishes.quiet_from, wishes.quiet_until
    session.flush()
    changed = changes(before, shown_wishes(guardian, link))
    if changed:
        details = {**changed, "student": student_id}
        note(session, school_id, actor, "guardian.wishes", _name(guardian_id), details=details)


def _judge(wishes: Wishes) -> None:
    wrong = Problems()
    hours = (wishes.quiet_from, wishes.quiet_until)
    if (hours[0] is None) is not (hours[1] is None):
        wrong.add("quiet_from", _("Quiet hours have a begin and an end, or neither."))
    if any(minute is not None and not 0 <= minute < _MINUTES for minute in hours):
        wrong.add("quiet_from", _("Write the time like 07:30."))
    if wishes.daily_limit is not None and not 1 <= wishes.daily_limit <= MOST_A_DAY:
        wrong.add("daily_limit", _("Write a whole number from 1 to 200."))
    wrong.refuse()


def _refuse_unreachable(guardian: Guardian, wishes: Wishes) -> None:
    if not wishes.is_told:
        return
    if wishes.channel is Channel.WECOM and not guardian.wecom_id:
        raise FieldsError({"channel": _("This guardian has no WeCom id here.")})
    if not guardian.phone_tail:
        raise FieldsError({"is_told": _("Messages need a mobile number, and there is none.")})


def give_consent(
    session: Session,
    actor: Actor,
    school_id: int,
    guardian_id: int,
    wording_id: int,
    by: str = "",
) -> int:
    """Note that a guardian consented to a wording, for every student; for how many it was news.

    `by` names who of the staff has it on paper; empty when the guardian consented on the own page.
    Raises AppError(NOT_FOUND).
    """
    wording = session.scalar(
        select(ConsentWording.id).where(
            ConsentWording.school_id == school_id, ConsentWording.id == wording_id
        )
    )
    if wording is None:
        raise AppError(Code.NOT_FOUND, "There is no such wording.")
    links = [
        link
        for link in _lock_links(session, school_id, guardian_id)
        if link.consented_at is None or link.consent_wording_id != wording_id
    ]
    for link in links:
        link.consented_at, link.consent_by = utc_now(), by[:120]
        link.consent_wording_id = wording_id
    if links:
        session.flush()
        details = {"wording": wording_id, "students": [link.student_id for link in links]}
        note(session, school_id, actor, "consent.given", _name(guardian_id), details=details)
    return len(links)


def withdraw_consent(
    session: Session, actor: Actor, school_id: int, guardian_id: int, reason: str = ""
) -> None:
    """A guardian consents no more: nothing is sent from now on. Raises AppError(NOT_FOUND).

    The wording stays, so that nobody takes the guardian for one who was never asked.
    """
    links = [
        link
        for link in _lock_links(session, school_id, guardian_id)
        if link.consented_at is not None
    ]
    for link in links:
        link.consented_at, link.consent_by = None, ""
    if links:
        session.flush()
        details = {"students": [link.student_id for link in links]}
        subject = _name(guardian_id)
        note(
            session, school_id, actor, "consent.withdrawn", subject, reason=reason, details=details
        )


def vouch_for_number(
    session: Session, actor: Actor, school_id: int, guardian_id: int, reason: str
) -> None:
    """Staff know that the number is the guardian's: no code is asked for.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) without a number, FieldsError without a reason.
    """
    wrong = Problems()
    kept = wrong.text("reason", reason, 200)
    wrong.refuse()
    guardian = _lock_guardian(session, school_id, guardian_id)
    if not guardian.phone_tail:
        raise AppError(Code.CONFLICT, "This guardian has no mobile number.")
    guardian.verified_at, guardian.verified_by = utc_now(), actor.name[:120]
    session.flush()
    details = {"phone": guardian.phone_tail}
    subject = _name(guardian_id)
    note(session, school_id, actor, "guardian.vouched", subject, reason=kept, details=details)


def _lock(
    session: Session, school_id: int, student_id: int, guardian_id: int
) -> tuple[Guardian, Guardianship]:
    guardian = _lock_guardian(session, school_id, guardian_id)
    link = session.get(Guardianship, (student_id, guardian_id), with_for_update=True)
    if link is None:
        raise AppError(Code.NOT_FOUND, NO_GUARDIAN)
    return guardian, link


def _lock_links(session: Session, school_id: int, guardian_id: int) -> list[Guardianship]:
    """The links to all of a guardian's students, which nobody else can change now."""
    _lock_guardian(session, school_id, guardian_id)
    found = session.scalars(
        select(Guardianship)
        .where(Guardianship.guardian_id == guardian_id)
        .order_by(Guardianship.student_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(found)


def _lock_guardian(session: Session, school_id: int, guardian_id: int) -> Guardian:
    guardian = session.scalar(
        select(Guardian)
        .where(Guardian.school_id == school_id, Guardian.id == guardian_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if guardian is None:
        raise AppError(Code.NOT_FOUND, NO_GUARDIAN)
    return guardian


def _name(guardian_id: int) -> str:
    return f"guardian:{guardian_id}"


NO_GUARDIAN = _("This student has no such guardian.")
