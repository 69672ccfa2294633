"""What Twilio's codes and states mean for a message, and the sentences that staff see.

Source: Twilio's error dictionary, https://www.twilio.com/docs/api/errors, and the states of its
Messages resource (2010-04-01). Twilio's own error texts repeat the number, so none of them is
passed on: what a code means stands in the table below.
"""

from typing import Final

from integrations.sms.answers import Meaning, explain_code
from integrations.sms.protocol import Fate, SendError, Verdict

_T, _P, _A = Verdict.TEMPORARY, Verdict.PERMANENT, Verdict.AMBIGUOUS
_Q, _N = Verdict.QUOTA, Verdict.NUMBER_QUOTA
_REFUSED: Final = 30_008
"""What stands for a failure for which Twilio gives no code."""
NOT_ACTIVE: Final = 20_005

ERRORS: Final[dict[int, Meaning]] = {
    # The account: no message can leave until somebody has put it right.
    10001: Meaning(_Q, "The Twilio account is not active, mostly because its credit is used up."),
    20003: Meaning(_T, "Twilio does not accept the account or its token."),
    20005: Meaning(_Q, "The Twilio account is not active, mostly because its credit is used up."),
    20403: Meaning(_T, "The Twilio account may not do this."),
    20404: Meaning(_T, "Twilio does not know the account or the messaging service."),
    20429: Meaning(_T, "Too many requests at once."),
    21730: Meaning(_T, "Twilio is under maintenance."),
    30002: Meaning(_Q, "The Twilio account is suspended, mostly because its credit is used up."),
    63038: Meaning(_Q, "The Twilio account has sent its messages of this day."),
    # The sender.
    21212: Meaning(_T, "The sender is not a number that Twilio knows."),
    21408: Meaning(_T, "The Twilio account may not send to this country."),
    21601: Meaning(_T, "The sender cannot send messages."),
    21603: Meaning(_T, "The sender is missing."),
    21606: Meaning(_T, "The sender cannot send messages to this destination."),
    21611: Meaning(_Q, "The sender's queue is full."),
    21659: Meaning(_T, "The sender is not a Twilio number."),
    21660: Meaning(_T, "The sender belongs to another account."),
    21661: Meaning(_T, "The sender cannot send messages."),
    21701: Meaning(_T, "Twilio does not know the messaging service."),
    21703: Meaning(_T, "The messaging service has no number to send from."),
    21704: Meaning(_T, "The messaging service has no number to send from."),
    21705: Meaning(_T, "The messaging service is not a valid one."),
    21712: Meaning(_T, "The messaging service does not belong to this account."),
    30001: Meaning(_Q, "The sender's queue is full."),
    30022: Meaning(_Q, "The network takes no more messages from this sender for a while."),
    30023: Meaning(_Q, "The network takes no more messages from this sender today."),
    # The parent's number.
    14107: Meaning(_N, "The number was sent too many messages in a short time."),
    21211: Meaning(_P, "The number is not valid.", True),
    21214: Meaning(_P, "The number cannot be reached.", True),
    21217: Meaning(_P, "The number is not valid.", True),
    21265: Meaning(_P, "The number is a short code, which gets no messages.", True),
    21266: Meaning(_P, "The number is the sender's own.", True),
    21604: Meaning(_P, "The number is missing."),
    21608: Meaning(_P, "A trial account sends to verified numbers only."),
    21610: Meaning(_P, "The parent has unsubscribed from this sender.", True),
    21612: Meaning(_P, "The number cannot be reached from this sender."),
    21614: Meaning(_P, "The number is not a mobile number.", True),
    21635: Meaning(_P, "The number is a landline.", True),
    30003: Meaning(_P, "The phone is off or out of reach."),
    30004: Meaning(_P, "The number blocks messages."),
    30005: Meaning(_P, "The number is not in service.", True),
    30006: Meaning(_P, "The number is a landline or its network takes no messages.", True),
    # The text.
    21602: Meaning(_P, "The text is missing."),
    21617: Meaning(_P, "The text is too long."),
    21619: Meaning(_P, "The text is missing."),
    30007: Meaning(_P, "The network filtered the message out."),
    _REFUSED: Meaning(_P, "The network refused the message and gave no reason."),
    30036: Meaning(_P, "The message waited at Twilio until it was stale, and was not sent."),
}
"""Twilio's code → what it means."""

STATUSES: Final[dict[int, Meaning]] = {
    401: Meaning(_T, "Twilio does not accept the account or its token."),
    403: Meaning(_T, "The Twilio account may not do this."),
    404: Meaning(_T, "Twilio does not know the account or the messaging service."),
    408: Meaning(_A, "The answer took too long: the message may have been accepted."),
    429: Meaning(_T, "Too many requests at once."),
}
"""The same by HTTP status, for answers without a code of the table."""

FATES: Final[dict[str, Fate]] = {
    "accepted": Fate.ACCEPTED,
    "scheduled": Fate.ACCEPTED,
    "queued": Fate.ACCEPTED,
    "sending": Fate.ACCEPTED,
    "sent": Fate.ACCEPTED,
    "delivered": Fate.DELIVERED,
    "read": Fate.DELIVERED,
    "partially_delivered": Fate.UNDELIVERED,
    "undelivered": Fate.UNDELIVERED,
    "failed": Fate.UNDELIVERED,
    "canceled": Fate.UNDELIVERED,
}
"""Twilio's state of a message that we sent → what became of it; any other tells us nothing."""

_UNEXPLAINED: Final[dict[str, str]] = {
    "canceled": "Twilio: The message was cancelled there.",
    "partially_delivered": "Twilio: Only a part of the message was delivered.",
}


def explain_refusal(code: object, status: object, retry_after_s: float | None = None) -> SendError:
    """What a refusal with Twilio's code, or else with the HTTP status alone, means."""
    meaning = ERRORS.get(code) if isinstance(code, int) else None
    if not isinstance(status, int) or not 400 <= status < 500:
        meaning = Meaning(_A, "Twilio failed: the message may have been accepted.")
    elif status == 429 and (meaning is None or meaning.verdict not in (_T, _Q, _N)):
        meaning = STATUSES[429]  # whatever the code, it was not taken and may come again
    elif meaning is None:
        unknown = Meaning(_P, "Twilio refuses the message; look the code up.")
        meaning = STATUSES.get(status, unknown)
    return explain_code(f"Twilio {code}", meaning, retry_after_s)


def explain_loss(code: int | None) -> SendError:
    """What it means that Twilio has the message, and marks it as failed with this code."""
    loss = explain_refusal(code or _REFUSED, 400)
    loss.is_spent = True
    return loss


def explain_fate(state: str | None, code: int | None) -> tuple[Fate, str, bool]:
    """What became of a message: its fate, why not (for staff), and whether the number is bad."""
    fate = FATES.get(state or "", Fate.UNSURE)
    if fate is not Fate.UNDELIVERED:
        return fate, "", False
    if not code and state in _UNEXPLAINED:
        return fate, _UNEXPLAINED[state], False
    loss = explain_loss(code)
    return fate, loss.message, loss.is_number_bad
