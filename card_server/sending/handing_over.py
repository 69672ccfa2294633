"""One call to a carrier, and what follows from its answer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from card_server.errors import AppError
from card_server.messages.templates import reveal
from card_server.sending.choosing import Carriers
from card_server.sending.claiming import Claim
from card_server.sending.outcomes import Outcome, judge
from card_server.storage.sealing import Seal
from integrations.sms.protocol import SendError, Sms, Verdict
from schema.tables.messages import MessageState

_LEFT: Final = timedelta(minutes=1)
"""So much of its lease a message must have when its call begins: the carrier that is asked about
it afterwards must have it by then, or it would be sent again."""
HELD_UP: Final = "The notifier was held up before it handed the message over."


def hand_over(
    carriers: Carriers, seal: Seal, claim: Claim, clock: Callable[[], datetime], chance: float
) -> Outcome:
    """Call the claim's carrier once; `chance` in [0, 1) spreads the next tries."""
    now = clock()
    if now > claim.lease_until - _LEFT:
        return Outcome(MessageState.QUEUED, now, error=HELD_UP)
    try:
        sms = _write(seal, claim, now)
    except AppError as error:
        # The carrier was not called and is not at fault: another key has sealed the number.
        carriers.note_own_trouble(error.message)
        return _follow(carriers, claim, SendError(error.message), clock(), chance)
    try:
        provider_id = carriers[claim.carrier].send(sms)
    except SendError as error:
        carriers.note_failed(claim.carrier, error)
        return _follow(carriers, claim, error, clock(), chance)
    except Exception as error:
        # Its text may hold the number; and the call may have gone through.
        said = f"The carrier's program failed ({type(error).__name__})."
        unclear = SendError(said, Verdict.AMBIGUOUS)
        carriers.note_failed(claim.carrier, unclear)
        return _follow(carriers, claim, unclear, clock(), chance)
    carriers.note_taken(claim.carrier)
    return Outcome(MessageState.ACCEPTED, provider_id=provider_id)


def _follow(
    carriers: Carriers, claim: Claim, error: SendError, now: datetime, chance: float
) -> Outcome:
    refused_by = claim.refused_by | {claim.carrier}
    another = carriers.may_another_take(claim.wanted, refused_by)
    return judge(error, claim, now, chance, may_another_take=another)


def _write(seal: Seal, claim: Claim, now: datetime) -> Sms:
    """The message as it goes out. Raises AppError when it was sealed with another key."""
    body, slots = claim.body, claim.slots
    if claim.code_sealed is not None:
        code = seal.open(claim.code_sealed)
        body = reveal(body, code)
        slots = tuple((name, reveal(value, code)) for name, value in slots)
    return Sms(
        claim.wecom_id or seal.open(claim.to_sealed),
        body,
        max(1, int((claim.expires_at - now).total_seconds())),
        claim.reference,
        claim.signature,
        claim.template,
        slots,
    )
