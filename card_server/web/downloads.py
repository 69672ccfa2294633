"""Downloads of what is kept on children: each is noted in the audit log."""

from collections.abc import Sequence

from flask import Response

from card_server.access import actor, changing_session, school_in_use
from card_server.audit.writing import note
from card_server.web.export import Cell, Export, send_export

MOST_ROWS = 20_000
"""Of one download; more is a task for the API, which gives it in pieces."""


def send_noted(
    kind: Export, name: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> Response:
    """The download, after a note of who took how much of what."""
    school = school_in_use()
    with changing_session() as session:
        note(
            session,
            school.id,
            actor(),
            "export.taken",
            f"school:{school.id}",
            details={"list": name, "kind": kind.value, "rows": len(rows)},
        )
    return send_export(kind, name, heads, rows)
