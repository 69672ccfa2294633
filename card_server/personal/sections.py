"""What is kept on one student, table by table, opened and in plain values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString, lazy_gettext
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from card_server.audit.details import open_text, read_detail
from card_server.storage.sealing import Seal
from schema.tables.attendance import (
    Attendance,
    Correction,
    DayNote,
    Exemption,
    HandPassage,
    Presence,
)
from schema.tables.audit import AuditDetail, AuditEntry
from schema.tables.cards import Card, CardBinding, CardHistory
from schema.tables.evacuation import EvacuationStudent
from schema.tables.findings import TapPair
from schema.tables.leave import LeaveSlip
from schema.tables.messages import Message
from schema.tables.people import (
    Boarding,
    ConsentWording,
    Guardian,
    GuardianPhone,
    Guardianship,
    HomeroomStay,
    Student,
    StudentNote,
    StudentPhoto,
)
from schema.tables.readers import Reader
from schema.tables.registration import Registration
from schema.tables.roll_call import RollCall
from schema.tables.school import Homeroom, Term
from schema.tables.taps import Tap

Row = Mapping[str, Any]
_NOT_SHOWN = frozenset({"school_id", "pinyin"})
"""Of every row: the school is one, and pinyin is the name again."""
_OF_SENDING = {"lease_until", "to_sealed", "to_hash"}
"""What the notifier alone needs of a message while it is under way."""


@dataclass(frozen=True)
class Kept:
    """The rows of one subject."""

    name: str
    """In the file's name."""
    title: LazyString
    rows: list[Row]


@dataclass(frozen=True)
class Asking:
    """Whose data is read, and the key that opens it."""

    session: Session
    school_id: int
    student_id: int
    seal: Seal


def read_sections(asking: Asking) -> list[Kept]:
    """Every section, empty ones too: that nothing is kept is an answer."""
    return [Kept(name, title, list(read(asking))) for name, title, read in _SECTIONS]


def _read_student(asking: Asking) -> Iterator[Row]:
    for one in asking.session.scalars(select(Student).where(_is_student(asking))):
        row = _plain(one, leave_out={"identity_hash", "identity_tail", "registry_tail"})
        for field in ("identity", "registry"):
            sealed = row.pop(f"{field}_sealed")
            row[f"{field}_number"] = asking.seal.open(sealed) if sealed else None
        yield row


def _is_student(asking: Asking) -> ColumnElement[bool]:
    return (Student.school_id == asking.school_id) & (Student.id == asking.student_id)


def _read_guardians(asking: Asking) -> Iterator[Row]:
    found = asking.session.execute(
        select(Guardian, Guardianship)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .where(Guardianship.student_id == asking.student_id)
        .where(Guardian.school_id == asking.school_id)
        .order_by(Guardianship.priority, Guardian.id)
    )
    for guardian, link in found.all():
        further = asking.session.scalars(
            select(GuardianPhone.phone_sealed)
            .where(GuardianPhone.guardian_id == guardian.id)
            .order_by(GuardianPhone.id)
        )
        yield {
            "id": guardian.id,
            "name": guardian.name,
            "relation": link.relation,
            "phone": asking.seal.open(guardian.phone_sealed),
            "further_phones": " ".join(map(asking.seal.open, further)),
            "language": guardian.language,
            "is_told": link.is_told,
            "wanted": link.wanted,
            "channel": link.channel,
            "quiet_from": link.quiet_from,
            "quiet_until": link.quiet_until,
            "daily_limit": link.daily_limit,
            "consented_at": link.consented_at,
            "consent_wording": asking.session.scalar(
                select(ConsentWording.body).where(ConsentWording.id == link.consent_wording_id)
            ),
            "consent_noted_by": link.consent_by,
            "phone_since": guardian.phone_since,
            "verified_at": guardian.verified_at,
            "verified_by": guardian.verified_by,
            "wecom_id": guardian.wecom_id,
            "priority": link.priority,
            "sourced_id": guardian.sourced_id,
        }


def _read_stays(asking: Asking) -> Iterator[Row]:
    found = asking.session.execute(
        select(HomeroomStay, Homeroom.name)
        .join(Homeroom, Homeroom.id == HomeroomStay.homeroom_id)
        .where(HomeroomStay.student_id == asking.student_id)
        .order_by(HomeroomStay.from_on)
    )
    for stay, homeroom in found:
        yield {"homeroom": homeroom, "from_on": stay.from_on, "until_on": stay.until_on}


def _read_cards(asking: Asking) -> Iterator[Row]:
    found = asking.session.execute(
        select(Card.uid, Card.label, Card.kind, CardBinding.bound_at, CardBinding.unbound_at)
        .join(CardBinding, CardBinding.card_id == Card.id)
        .where(CardBinding.student_id == asking.student_id)
        .order_by(CardBinding.id)
    )
    yield from (dict(row._mapping) for row in found)


def _read_steps(asking: Asking) -> Iterator[Row]:
    found = asking.session.execute(
        select(Card.uid, CardHistory)
        .join(CardHistory, CardHistory.card_id == Card.id)
        .where(CardHistory.student_id == asking.student_id)
        .order_by(CardHistory.id)
    )
    for uid, step in found:
        yield {"uid": uid, **_plain(step, leave_out={"card_id", "student_id"})}


def _read_taps(asking: Asking) -> Iterator[Row]:
    found = asking.session.execute(
        select(Tap, Reader.name)
        .outerjoin(Reader, Reader.id == Tap.reader_id)
        .where(Tap.school_id == asking.school_id, Tap.student_id == asking.student_id)
        .order_by(Tap.occurred_at, Tap.id)
    )
    for tap, reader in found:
        yield {"reader": reader, **_plain(tap, leave_out={"student_id"})}


def _read_registrations(asking: Asking) -> Iterator[Row]:
    found = asking.session.execute(
        select(Registration, Term.name)
        .outerjoin(Term, Term.id == Registration.term_id)
        .where(
            Registration.school_id == asking.school_id,
            Registration.student_id == asking.student_id,
        )
        .order_by(Registration.at)
    )
    for row, term in found:
        yield {"term": term, **_plain(row, leave_out={"student_id"})}


def _read_leave(asking: Asking) -> Iterator[Row]:
    found = asking.session.scalars(
        select(LeaveSlip)
        .where(LeaveSlip.school_id == asking.school_id, LeaveSlip.student_id == asking.student_id)
        .order_by(LeaveSlip.from_at)
    )
    for slip in found:
        row = _plain(slip, leave_out={"student_id", "reason_sealed"})
        yield row | {"reason": asking.seal.open(slip.reason_sealed)}


def _read_messages(asking: Asking) -> Iterator[Row]:
    """What guardians were told; the name also of who is no guardian of the student any more."""
    found = asking.session.execute(
        select(Message, Guardian.name)
        .outerjoin(Guardian, Guardian.id == Message.guardian_id)
        .where(Message.school_id == asking.school_id, Message.student_id == asking.student_id)
        .order_by(Message.created_at, Message.id)
    )
    for message, guardian in found:
        yield {"guardian": guardian, **_plain(message, _OF_SENDING | {"student_id"})}


def _read_audit(asking: Asking) -> Iterator[Row]:
    """Who changed what is kept on the student, or looked at it, and why."""
    own = (AuditDetail.school_id == AuditEntry.school_id) & (AuditDetail.seq == AuditEntry.seq)
    found = asking.session.execute(
        select(AuditEntry, AuditDetail.body)
        .outerjoin(AuditDetail, own)
        .where(
            AuditEntry.school_id == asking.school_id,
            AuditEntry.subject == f"student:{asking.student_id}",
        )
        .order_by(AuditEntry.seq)
    ).all()
    connection = asking.session.connection()
    for entry, body in found:
        text = open_text(connection, body) if body is not None else None
        detail = read_detail(text) if text is not None else None
        yield {
            "at": entry.at,
            "action": entry.action,
            "by_kind": entry.actor_kind,
            "by": detail.name if detail else None,
            "reason": detail.reason if detail else None,
            "details": detail.details if detail else None,
        }


def _rows_of(
    table: type[Any], order: str, leave_out: Sequence[str] = ()
) -> Callable[[Asking], Iterator[Row]]:
    """All rows of a table that name the student."""

    def read(asking: Asking) -> Iterator[Row]:
        found = asking.session.scalars(
            select(table)
            .where(table.school_id == asking.school_id, table.student_id == asking.student_id)
            .order_by(getattr(table, order))
        )
        for one in found:
            yield _plain(one, leave_out={"student_id", *leave_out})

    return read


def _plain(one: Any, leave_out: set[str]) -> dict[str, Any]:
    names = (column.key for column in type(one).__mapper__.column_attrs)
    return {
        name: getattr(one, name)
        for name in names
        if name not in _NOT_SHOWN and name not in leave_out
    }


_SECTIONS: tuple[tuple[str, LazyString, Callable[[Asking], Iterator[Row]]], ...] = (
    ("student", lazy_gettext("Student"), _read_student),
    ("guardians", lazy_gettext("Guardians"), _read_guardians),
    ("homerooms", lazy_gettext("Homerooms so far"), _read_stays),
    ("boarding", lazy_gettext("Boarding"), _rows_of(Boarding, "from_on")),
    ("notes", lazy_gettext("Notes"), _rows_of(StudentNote, "id")),
    ("photo", lazy_gettext("Photo"), _rows_of(StudentPhoto, "changed_at", ("body_sealed",))),
    ("cards", lazy_gettext("Cards"), _read_cards),
    ("card-steps", lazy_gettext("What was done with the cards"), _read_steps),
    ("registrations", lazy_gettext("Registrations"), _read_registrations),
    ("leave", lazy_gettext("Leave slips"), _read_leave),
    ("corrections", lazy_gettext("Corrections"), _rows_of(Correction, "id")),
    ("day-notes", lazy_gettext("Notes on days"), _rows_of(DayNote, "id")),
    ("exemptions", lazy_gettext("Exemptions"), _rows_of(Exemption, "from_on")),
    ("taps", lazy_gettext("Taps"), _read_taps),
    ("passages", lazy_gettext("Passages without a card"), _rows_of(HandPassage, "at")),
    ("evacuations", lazy_gettext("Evacuations"), _rows_of(EvacuationStudent, "since_at")),
    ("roll-calls", lazy_gettext("Dorm roll call"), _rows_of(RollCall, "day")),
    ("odd-taps", lazy_gettext("Taps that cannot all be the student's"), _rows_of(TapPair, "at")),
    ("days", lazy_gettext("Days"), _rows_of(Attendance, "day")),
    ("whereabouts", lazy_gettext("Where the student is"), _rows_of(Presence, "since_at")),
    ("messages", lazy_gettext("Messages"), _read_messages),
    ("log", lazy_gettext("Who changed or saw what"), _read_audit),
)
