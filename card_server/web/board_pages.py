"""Today's board (今日)."""

from datetime import UTC, datetime

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from card_server.access import allow, school_in_use, school_session
from card_server.reports.board import MAX_NAMES, read_board
from card_server.school_time import day_of
from card_server.web.fragments import render_part
from schema.tables.staff import Role

pages = Blueprint("board", __name__)


@pages.get("/board")
@allow(Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
def show() -> ResponseReturnValue:
    """The board of the whole school, or of the homeroom that `homeroom` names."""
    school = school_in_use()
    today = day_of(datetime.now(UTC), school.zone)
    homeroom_id = request.args.get("homeroom", type=int)
    with school_session() as session:
        board = read_board(session, school.id, today, homeroom_id)
    return render_part(
        "board.html",
        "board_part.html",
        board=board,
        day=today,
        most=MAX_NAMES,
        late_after=school.late_after,
    )
