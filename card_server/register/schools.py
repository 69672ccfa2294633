"""Schools and their readers: making and finding them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.errors import AppError, Code
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import School
from schema.topics import CODE


def add_school(session: Session, *, code: str, name: str, signature: str, zone: str) -> School:
    """A new school. Raises AppError (INVALID, CONFLICT)."""
    _check_code(code)
    _check_length("name", name, 120)
    _check_length("signature", signature, 20)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise AppError(Code.INVALID, f"{zone} is no time zone; try Asia/Shanghai.") from error
    if session.scalar(select(School.id).where(School.code == code)):
        raise AppError(Code.CONFLICT, f"There is a school {code} already.")
    school = School(code=code, name=name, signature=signature, zone=zone)
    session.add(school)
    session.flush()
    return school


def find_school(session: Session, code: str) -> School:
    """The school of this code. Raises AppError(NOT_FOUND)."""
    school = session.scalar(select(School).where(School.code == code))
    if school is None:
        known = ", ".join(session.scalars(select(School.code).order_by(School.code))) or "none yet"
        raise AppError(Code.NOT_FOUND, f"There is no school {code}; there are: {known}.")
    return school


def add_reader(
    session: Session, *, school: str, code: str, name: str, place: str, direction: str
) -> Reader:
    """A new reader at the gate. Raises AppError (INVALID, NOT_FOUND, CONFLICT)."""
    _check_code(code)
    _check_length("name", name, 60)
    _check_length("place", place, 60)
    if direction not in ("", *Direction):
        raise AppError(Code.INVALID, f"The direction is in, out or empty, not {direction}.")
    found = find_school(session, school)
    if session.scalar(select(Reader.id).where(Reader.school_id == found.id, Reader.code == code)):
        raise AppError(Code.CONFLICT, f"The school has a reader {code} already.")
    reader = Reader(
        school_id=found.id,
        code=code,
        name=name,
        place=place,
        purpose=Purpose.GATE,
        direction=Direction(direction) if direction else None,
    )
    session.add(reader)
    session.flush()
    return reader


def _check_code(code: str) -> None:
    if not CODE.fullmatch(code):
        raise AppError(
            Code.INVALID,
            f"{code!r} is no code: small letters, digits and hyphens, 32 at most.",
        )


def _check_length(what: str, text: str, most: int) -> None:
    """Only PostgreSQL would refuse a longer text; a school may move there from SQLite."""
    if not 0 < len(text.strip()) <= len(text) <= most:
        raise AppError(Code.INVALID, f"The {what} has 1 to {most} characters, not {len(text)}.")
