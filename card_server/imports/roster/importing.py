"""One roster, one transaction: compared under lock, refused or written, and noted."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy.orm import Session

from card_server.audit.writing import note
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.imports.roster.apply import Importing, Progress, apply
from card_server.imports.roster.brake import find_brakes
from card_server.imports.roster.difference import compare
from card_server.imports.roster.loading import load_present, load_year, lock_school
from card_server.imports.roster.plan import Counts, Difference
from card_server.storage.sealing import Seal
from integrations.roster.protocol import Roster

ACTION = "roster.imported"


class Consent(Struct, frozen=True):
    """What a person has agreed to."""

    digest: bytes | None = None
    """Of the difference that was shown; None: whatever it is now."""
    has_said_yes: bool = False
    """To what the brake asks."""


def preview(session: Session, doing: Importing, roster: Roster) -> Difference:
    """What the roster would change; nothing is written."""
    year = load_year(session, doing.school_id, doing.today)
    present = load_present(session, doing.school_id, doing.seal, doing.today)
    return compare(roster, present, doing.seal.hash, year)


def import_roster(
    session: Session,
    doing: Importing,
    roster: Roster,
    consent: Consent,
    about: Mapping[str, Any],
    progress: Progress = lambda _done, _total: None,
) -> Counts:
    """What was changed, in the caller's transaction; `about` says for the log which file it was.

    Raises AppError(INVALID) for a roster with errors, AppError(CONFLICT) when it is not what was
    shown any more, or when the brake holds and nobody has said yes.
    """
    lock_school(session, doing.school_id)
    difference = preview(session, doing, roster)
    refuse(difference, doing.seal, consent)
    if difference.plan.is_empty:
        return difference.counts
    apply(session, doing, difference.plan, progress)
    counts = msgspec.structs.asdict(difference.counts)
    subject = f"school:{doing.school_id}"
    details = {**about, "source": roster.source, **counts}
    note(session, doing.school_id, doing.actor, ACTION, subject, details=details)
    return difference.counts


def refuse(difference: Difference, seal: Seal, consent: Consent) -> None:
    """Raise AppError for what must not be imported."""
    if difference.has_errors:
        raise AppError(Code.INVALID, HAS_ERRORS)
    if consent.digest is not None and consent.digest != digest_of(difference, seal):
        raise AppError(Code.CONFLICT, IS_ANOTHER)
    brakes = find_brakes(difference.counts, difference.plan.enrolled)
    if brakes and not consent.has_said_yes:
        raise AppError(Code.CONFLICT, IS_BRAKED)


def digest_of(difference: Difference, seal: Seal) -> bytes:
    """What tells one difference from another, and nothing of what is in it without the key."""
    return seal.hash(msgspec.json.encode(difference.plan).decode())


HAS_ERRORS = _("The roster has errors, and nothing was imported. Mend them and begin again.")
IS_ANOTHER = _(
    "The school has changed since you looked, and nothing was imported. Look at the difference"
    " once more."
)
IS_BRAKED = _(
    "Very many students would be gone or changed, and nothing was imported. Say that this is meant."
)
