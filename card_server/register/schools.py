"""Schools (学校): making and finding them, and the rules that each sets for itself."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.people.phones import read_countries
from card_server.seen import changes, refuse_if_changed
from schema.tables.school import School

_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class SchoolSettings:
    """What a school decides for itself."""

    name: str
    signature: str
    zone: str
    late_after: str
    """HH:MM in the school's zone."""
    double_tap_s: int
    stale_minutes: int
    cards_per_student: int = 1
    phone_countries: str = "CN"
    """ISO 3166-1 codes apart by spaces, the school's own country first."""


def add_school(
    session: Session, actor: Actor, *, code: str, name: str, signature: str, zone: str
) -> School:
    """A new school. Raises FieldsError, with AppError's code CONFLICT for a code that is taken."""
    wrong = Problems()
    wrong.code("code", code)
    name = wrong.text("name", name, 120)
    signature = _read_signature(wrong, signature)
    zone = _read_zone(wrong, zone)
    wrong.refuse()
    school = School(code=code, name=name, signature=signature, zone=zone)
    try:
        with session.begin_nested():
            session.add(school)
    except IntegrityError as error:
        taken = {"code": _("There is a school with this code already.")}
        raise FieldsError(taken, Code.CONFLICT) from error
    details = {"code": code} | asdict(settings_of(school))
    note(session, school.id, actor, "school.made", f"school:{school.id}", details=details)
    return school


def find_school(session: Session, code: str) -> School:
    """The school of this code. Raises AppError(NOT_FOUND)."""
    school = session.scalar(select(School).where(School.code == code))
    if school is None:
        known = ", ".join(session.scalars(select(School.code).order_by(School.code))) or "none yet"
        raise AppError(Code.NOT_FOUND, f"There is no school {code}; there are: {known}.")
    return school


def zone_of(session: Session, school_id: int) -> ZoneInfo:
    """The time zone of a school's clocks; a session asks for it once."""
    known: dict[int, ZoneInfo] = session.info.setdefault(zone_of, {})
    if school_id not in known:
        name = session.scalars(select(School.zone).where(School.id == school_id)).one()
        known[school_id] = ZoneInfo(name)
    return known[school_id]


def settings_of(school: School) -> SchoolSettings:
    """What the school has decided."""
    return SchoolSettings(
        school.name,
        school.signature,
        school.zone,
        school.late_after,
        school.double_tap_s,
        school.stale_minutes,
        school.cards_per_student,
        school.phone_countries,
    )


def read_settings(typed: Mapping[str, str]) -> SchoolSettings:
    """What somebody typed, as settings. Raises FieldsError."""
    wrong = Problems()
    late_after = typed.get("late_after", "").strip()
    if not _HOUR.fullmatch(late_after):
        wrong.add("late_after", _("Write a time from 00:00 to 23:59, like 07:50."))
    settings = SchoolSettings(
        name=wrong.text("name", typed.get("name", ""), 120),
        signature=_read_signature(wrong, typed.get("signature", "")),
        zone=_read_zone(wrong, typed.get("zone", "")),
        late_after=late_after,
        double_tap_s=wrong.number("double_tap_s", typed.get("double_tap_s", ""), 0, 3600),
        stale_minutes=wrong.number("stale_minutes", typed.get("stale_minutes", ""), 1, 1440),
        cards_per_student=wrong.number(
            "cards_per_student", typed.get("cards_per_student", "1"), 1, 2
        ),
        phone_countries=read_countries(wrong, "phone_countries", typed.get("phone_countries", "")),
    )
    wrong.refuse()
    return settings


def change_school(
    session: Session,
    actor: Actor,
    school_id: int,
    wanted: SchoolSettings,
    seen: str | None = None,
) -> bool:
    """Whether anything changed. Raises AppError(CONFLICT) when it is not as it was seen."""
    school = session.get_one(School, school_id, with_for_update={"key_share": True})
    before, after = asdict(settings_of(school)), asdict(wanted)
    refuse_if_changed(before, seen)
    if before == after:
        return False
    for name, value in after.items():
        setattr(school, name, value)
    session.flush()
    changed = changes(before, after)
    note(session, school_id, actor, "school.changed", f"school:{school_id}", details=changed)
    return True


def _read_signature(wrong: Problems, typed: str) -> str:
    """The brackets are the message's own: a signature with them would stand in two pairs."""
    signature = wrong.text("signature", typed, 20)
    if set(signature) & set("【】[]"):
        wrong.add("signature", _("Leave the brackets out; each message has its own."))
    return signature


def _read_zone(wrong: Problems, typed: str) -> str:
    zone = typed.strip()
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong.add("zone", _("This is no time zone; try Asia/Shanghai."))
    return zone
