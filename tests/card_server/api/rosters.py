"""A roster that waits in a school, for tests that need one to be there."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from card_server.imports.roster import staging
from card_server.imports.roster.plan import Counts
from card_server.imports.roster.view import View
from tests.card_server.api.requests import ROSTER
from tests.card_server.web.small_school import SEAL, SmallSchool


def add_roster(session: Session, school: SmallSchool) -> int:
    """A roster that was handed in and compared: nothing would change."""
    now = datetime.now(UTC)
    id_ = staging.stage(session, school.id, "王老师", "名单.csv", ROSTER, now, SEAL)
    row = staging.find_import(session, school.id, id_)
    nothing: Any = dict.fromkeys(("findings", "homerooms", "new", "changed", "gone", "brakes"), ())
    view = View(
        **nothing,
        source="sheet",
        is_whole=False,
        school_year=2026,
        students=1,
        encoding="utf-8",
        sheet=None,
        profile=None,
        counts=Counts(),
        enrolled=8,
        errors=0,
        warnings=0,
    )
    staging.keep_view(row, view, bytes(32), SEAL)
    return id_
