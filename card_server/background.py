"""Who asks for a background job (后台任务): whoever calls, on a page or with a token."""

from card_server.access import actor, caller, grants_in_use, school_in_use
from card_server.jobs.queue import Asker
from card_server.staff.tokens import TokenCaller
from schema.tables.people import Language


def asker_in_use(language: Language) -> Asker:
    """The caller, who gets the job's result in this language."""
    who = caller()
    return Asker(
        school_in_use().id,
        actor(),
        who.staff_id,
        who.name,
        frozenset(grant.role for grant in grants_in_use()),
        language,
        who.token_id if isinstance(who, TokenCaller) else None,
    )
