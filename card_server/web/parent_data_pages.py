"""What the school keeps on the guardian, where they are signed in, and the file of all of it."""

import json

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from card_server.access import now
from card_server.audit.writing import note
from card_server.parent_access import (
    for_parents,
    parent,
    parent_actor,
    parent_change,
    parent_session,
)
from card_server.parents import stopping
from card_server.parents.sessions import list_phones
from card_server.reports.guardian_data import read_guardian_data
from card_server.web.entering import seal
from card_server.web.parent_entering import parents_pages

pages = parents_pages("parent_data", __name__)


@pages.get("/parent/me")
@for_parents
def show() -> ResponseReturnValue:
    """Name, number, consent, and the phones that are signed in."""
    who = parent()
    with parent_session() as session:
        phones = list_phones(session, who, now())
        since = stopping.stopped_at(session, who)
    return render_template("parent_me.html", phones=phones, stopped_at=since)


@pages.post("/parent/me/file")
@for_parents
def take() -> ResponseReturnValue:
    """The file (JSON); that it was taken is noted."""
    who = parent()
    with parent_change() as session:
        found = read_guardian_data(session, who, seal())
        note(
            session,
            who.school.id,
            parent_actor(),
            "parent.data_taken",
            f"guardian:{who.guardian_id}",
        )
    body = json.dumps(found, ensure_ascii=False, indent=2, default=str)
    answer = Response(body, content_type="application/json; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer
