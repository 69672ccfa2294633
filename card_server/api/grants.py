"""Roles and their reach as programs send them."""

from collections.abc import Iterable

from card_server.api.changes import GivenGrant
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.staff.scope import SCOPES, Grant
from schema.tables.staff import Scope


def read_grants(sent: Iterable[GivenGrant], field: str = "grants") -> list[Grant]:
    """What was sent, without repeats. Raises FieldsError for a scope that the role cannot have."""
    grants = [Grant(one.role, one.scope, one.grade, one.homeroom_id, one.place) for one in sent]
    if any(grant != _plain(grant) or grant.scope not in SCOPES[grant.role] for grant in grants):
        raise FieldsError({field: _("This role cannot reach so far. Choose another scope.")})
    return list(dict.fromkeys(grants))


def _plain(grant: Grant) -> Grant:
    """The grant with what its scope needs, and nothing else."""
    is_place = grant.scope in (Scope.GATE, Scope.LAB)
    return Grant(
        grant.role,
        grant.scope,
        (grant.grade or 0) if grant.scope is Scope.GRADE else None,
        (grant.homeroom_id or 0) if grant.scope is Scope.HOMEROOM else None,
        (grant.place or "-") if is_place else None,
    )
