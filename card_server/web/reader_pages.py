"""Readers' health (读卡器)."""

from datetime import UTC, datetime

from flask import Blueprint
from flask.typing import ResponseReturnValue

from card_server.access import allow, school_in_use, school_session
from card_server.reports.reader_report import SILENT_AFTER, read_aside, read_readers
from card_server.web.fragments import render_part
from schema.tables.staff import Role

pages = Blueprint("readers", __name__)


@pages.get("/readers")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.LAB_TEACHER, Role.GATE_GUARD)
def show() -> ResponseReturnValue:
    """How each reader in use is, which retired one still is used, and what was kept aside."""
    school, now = school_in_use(), datetime.now(UTC)
    with school_session() as session:
        readers = read_readers(session, school.id, school.cards_version, now)
        aside = read_aside(session, school.id)
    return render_part(
        "readers.html",
        "readers_part.html",
        readers=[one for one in readers if one.retired_at is None],
        has_retired=any(one.retired_at is not None for one in readers),
        still_used=[one for one in readers if one.is_still_used],
        aside=aside,
        now=now,
        cards_version=school.cards_version,
        silent_after_s=int(SILENT_AFTER.total_seconds()),
    )
