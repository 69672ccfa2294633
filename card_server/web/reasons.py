"""Why somebody wants to see what is usually hidden: without a reason nothing is shown."""

from flask import request

from card_server.field_errors import clean

_LONGEST = 200
_SHORTEST = 2


def read_reason() -> str:
    """The reason in this request's form; empty when it is none."""
    reason = clean(request.form.get("reason", ""))[:_LONGEST]
    return reason if len(reason) >= _SHORTEST else ""
