"""What the school keeps on a guardian, for the guardian alone: nothing of other guardians in it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.parents.sessions import Parent
from card_server.storage.sealing import Seal
from schema.tables.messages import Message
from schema.tables.parents import ParentLink, ParentSession
from schema.tables.people import ConsentWording, Guardian, GuardianPhone, Guardianship, Student


def read_guardian_data(session: Session, who: Parent, seal: Seal) -> dict[str, Any]:
    """All of it in plain values: numbers whole, times in UTC."""
    guardian = session.get_one(Guardian, who.guardian_id)
    further = session.scalars(
        select(GuardianPhone.phone_sealed)
        .where(GuardianPhone.guardian_id == who.guardian_id)
        .order_by(GuardianPhone.id)
    )
    return {
        "school": who.school.name,
        "name": guardian.name,
        "phone": seal.open(guardian.phone_sealed),
        "further_phones": [seal.open(one) for one in further],
        "language": guardian.language,
        "verified_at": guardian.verified_at,
        "verified_by": guardian.verified_by,
        "children": _read_ties(session, who),
        "links": _read_rows(session, ParentLink, who, ("made_at", "expires_at", "ended_at")),
        "phones_signed_in": _read_rows(
            session, ParentSession, who, ("browser", "made_at", "seen_at", "ended_at")
        ),
        "messages": _read_rows(
            session,
            Message,
            who,
            ("created_at", "kind", "student_id", "body", "state", "suppression", "provider"),
        ),
    }


def _read_ties(session: Session, who: Parent) -> list[dict[str, Any]]:
    found = session.execute(
        select(Guardianship, Student.name, ConsentWording.body)
        .join(Student, Student.id == Guardianship.student_id)
        .outerjoin(ConsentWording, ConsentWording.id == Guardianship.consent_wording_id)
        .where(Guardianship.guardian_id == who.guardian_id)
        .order_by(Guardianship.student_id)
    )
    names = ("relation", "is_told", "wanted", "channel", "quiet_from", "quiet_until", "daily_limit")
    return [
        {"student_id": tie.student_id, "name": name}
        | {one: getattr(tie, one) for one in names}
        | {"consented_at": tie.consented_at, "consent_by": tie.consent_by, "consented_to": body}
        for tie, name, body in found
    ]


def _read_rows(
    session: Session, table: Any, who: Parent, names: tuple[str, ...]
) -> list[dict[str, Any]]:
    found = session.scalars(
        select(table)
        .where(table.school_id == who.school.id, table.guardian_id == who.guardian_id)
        .order_by(table.id)
    )
    return [{name: getattr(one, name) for name in names} for one in found]
