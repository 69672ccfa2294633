"""Who makes a change through the API, as the rules about staff want them."""

from card_server.access import actor, caller
from card_server.staff.administration import Administrator


def administrator() -> Administrator:
    """The token: with its own rights and its maker's account."""
    who = caller()
    return Administrator(actor(), who.staff_id, who.grants)
