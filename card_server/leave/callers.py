"""Who calls, as the rules about leave and corrections want it: for oneself or for the school."""

from card_server.access import actor, caller, grants_in_use, now, school_in_use
from card_server.attendance import correcting, noting_passages
from card_server.leave import slips
from schema.tables.staff import Role

SCHOOL = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
"""Who speaks for the school, and not for a homeroom alone."""
SEEING = (*SCHOOL, Role.HOMEROOM_TEACHER)


def is_school() -> bool:
    """Whether the caller speaks for the school."""
    return any(one.role in SCHOOL for one in grants_in_use())


def about_leave() -> slips.Doing:
    """What this request does with leave slips."""
    school = school_in_use()
    return slips.Doing(actor(), school.id, school.zone, now(), is_school())


def about_days() -> correcting.Doing:
    """What this request does with corrections."""
    school = school_in_use()
    return correcting.Doing(actor(), school.id, school.zone, now(), is_school(), caller().staff_id)


def at_gate() -> noting_passages.AtGate:
    """What this request writes down at the gate."""
    school = school_in_use()
    return noting_passages.AtGate(
        actor(), caller().staff_id, school.id, school.zone, now(), is_school()
    )
