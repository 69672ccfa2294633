"""The roster goes out (名单导出): a file that other systems read, and a note of who took it."""

from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.imports.roster.columns import list_profiles
from card_server.imports.roster.export import EXPORTED, write_package
from card_server.imports.roster.register_sheets import Days, Sheet, write_sheet
from card_server.school_time import day_of
from card_server.storage.sealing import Seal

PACKAGE: Final = "oneroster"
SHEETS: Final = {f"{sheet}.{name}": (sheet, name) for sheet in Sheet for name, _ in list_profiles()}
"""Each sheet in each register system's columns."""
KINDS: Final = (PACKAGE, *SHEETS)
ZIP_TYPE: Final = "application/zip"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Giving(NamedTuple):
    """Of which school, to whom, why, and when."""

    school_id: int
    zone: ZoneInfo
    actor: Actor
    reason: str
    now: datetime
    seal: Seal


class RosterFile(NamedTuple):
    """What is given."""

    name: str
    media_type: str
    body: bytes


def give_roster(session: Session, doing: Giving, kind: str, days: Days) -> RosterFile:
    """The file of one of KINDS; of attendance these days. Raises AppError(CONFLICT) for no school.

    It is noted in the caller's transaction.
    """
    today = day_of(doing.now, doing.zone)
    if kind == PACKAGE:
        body = write_package(session, doing.school_id, doing.seal, today)
        made = RosterFile(f"oneroster-{today}.zip", ZIP_TYPE, body)
    else:
        sheet, profile = SHEETS[kind]
        body = write_sheet(session, doing.school_id, sheet, profile, days, doing.seal)
        made = RosterFile(f"{sheet}-{today}.xlsx", XLSX_TYPE, body)
    note(
        session,
        doing.school_id,
        doing.actor,
        EXPORTED,
        f"school:{doing.school_id}",
        reason=doing.reason,
        details={"format": kind, "bytes": len(body)},
    )
    return made
