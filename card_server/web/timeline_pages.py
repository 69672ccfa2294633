"""A student's timeline (时间线): everything that the card has done for this child."""

from datetime import datetime

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from card_server.access import allow, school_in_use, school_session
from card_server.looks import note_look
from card_server.reports.listings import read_student
from card_server.timeline.protocol import Asking
from card_server.timeline.reading import read_timeline
from card_server.timeline.registry import SOURCES
from card_server.web.fragments import render_part
from card_server.web.tables import read_asked
from schema.tables.staff import Role

pages = Blueprint("timeline", __name__)
PAGE_LINES = 50


@pages.get("/students/<int:student_id>/timeline")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER)
def show(student_id: int) -> ResponseReturnValue:
    """The newest moments, or those before a time; all sources, or one."""
    asked, school = read_asked((), ("only",)), school_in_use()
    before = _read_time(request.args.get("before", ""))
    only = asked.filters.get("only", "")
    sources = [one for one in SOURCES if only in ("", one.name)] or list(SOURCES)
    with school_session() as session:
        student = read_student(session, school.id, student_id)
        asking = Asking(session, school.id, student_id, school.zone, before, PAGE_LINES)
        page = read_timeline(sources, asking)
    note_look("student.seen", f"student:{student_id}", {})
    following = page.next_before
    return render_part(
        "timeline.html",
        "timeline_part.html",
        student=student,
        lines=page.lines,
        asked=asked,
        before=before,
        kinds=[(one.name, one.title) for one in SOURCES],
        newest=url_for("timeline.show", student_id=student_id, only=only or None),
        older=url_for(
            "timeline.show",
            student_id=student_id,
            only=only or None,
            before=following.isoformat() if following else None,
        )
        if following
        else "",
    )


def _read_time(text: str) -> datetime | None:
    """A time of an address; None for anything that is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
