"""Entering by a code: the try is counted first, then the code is looked at, all in one change."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.parents.codes import use_code
from card_server.parents.links import Doorstep
from card_server.parents.sessions import actor_of, open_parent_session
from card_server.staff import lockout
from card_server.staff.sessions import Visitor
from card_server.storage.sealing import Seal
from schema.tables.people import Guardian

PER_ADDRESS: Final = 30
"""Wrong codes within 15 minutes that lock an address: many phones of one carrier share one. What
keeps a number safe is that each of its codes dies after five tries."""


def enter(
    session: Session, seal: Seal, step: Doorstep, visitor: Visitor, typed: str, now: datetime
) -> str | None:
    """The token of a new session for who typed the guardian's code; None for a wrong one.

    The caller commits either way, so that a wrong try counts. A right code shows that the number
    is the guardian's.
    """
    guardian = session.get_one(Guardian, step.guardian_id)
    limit = lockout.address_limit(seal, visitor.address, PER_ADDRESS, "parents")
    counted = lockout.count_try(session, [limit], now)
    if not counted.may_try or not use_code(session, seal, guardian, typed, now):
        if counted.may_try:
            nobody = Actor("nobody", None, "", visitor.address)
            subject = f"guardian:{guardian.id}"
            note(session, step.school.id, nobody, "parent.code_wrong", subject)
        return None
    lockout.forgive(session, [limit], now)
    actor = actor_of(guardian.id, guardian.name, visitor.address)
    if guardian.verified_at is None or guardian.verified_by:
        guardian.verified_at, guardian.verified_by = now, ""
        note(session, step.school.id, actor, "parent.verified", f"guardian:{guardian.id}")
    details = {"browser": visitor.browser, "system": visitor.system}
    subject = f"guardian:{guardian.id}"
    note(session, step.school.id, actor, "parent.entered", subject, details=details)
    return open_parent_session(session, step.school.id, guardian.id, visitor, now)
