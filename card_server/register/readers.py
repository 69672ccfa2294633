"""A school's readers (读卡器): making them, and what each of them is and stands for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.cards.cardlists import start_lists_anew
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.register.campuses import read_campus, refuse_foreign_campus
from card_server.seen import changes, refuse_if_changed
from schema.tables.readers import ByteOrder, Direction, Purpose, Reader

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True)
class ReaderSettings:
    """What a school decides for a reader; its code stays for ever."""

    name: str
    place: str
    purpose: Purpose
    direction: Direction | None
    byte_order: ByteOrder
    campus_id: int | None = None
    """The only campus that it serves; None for all."""


def read_settings(typed: Mapping[str, str]) -> ReaderSettings:
    """What somebody typed, as settings. Raises FieldsError."""
    wrong = Problems()
    direction = typed.get("direction", "")
    if direction not in ("", *Direction):
        wrong.add("direction", _("The direction is in, out, or empty where both are possible."))
    settings = ReaderSettings(
        name=wrong.text("name", typed.get("name", ""), 60),
        place=wrong.text("place", typed.get("place", ""), 60),
        purpose=_choose(wrong, "purpose", typed, Purpose.GATE),
        direction=_choose(wrong, "direction", typed, Direction.IN) if direction else None,
        byte_order=_choose(wrong, "byte_order", typed, ByteOrder.AS_SENT),
        campus_id=read_campus(wrong, typed.get("campus_id", "")),
    )
    wrong.refuse()
    return settings


def _choose(wrong: Problems, field: str, typed: Mapping[str, str], usual: E) -> E:
    """One of the choices; the usual one where nothing was chosen."""
    word = typed.get(field, usual.value)
    if word in list(type(usual)):
        return type(usual)(word)
    wrong.add(field, _("Choose one of the list."))
    return usual


def settings_of(reader: Reader) -> ReaderSettings:
    """What is decided for the reader."""
    return ReaderSettings(
        reader.name,
        reader.place,
        reader.purpose,
        reader.direction,
        reader.byte_order,
        reader.campus_id,
    )


def add_reader(
    session: Session, actor: Actor, school_id: int, code: str, settings: ReaderSettings
) -> Reader:
    """A new reader. Raises FieldsError, with AppError's code CONFLICT for a code that is taken."""
    wrong = Problems()
    wrong.code("code", code)
    wrong.refuse()
    refuse_foreign_campus(session, school_id, settings.campus_id)
    reader = Reader(school_id=school_id, code=code, **_columns(settings))
    try:
        with session.begin_nested():
            session.add(reader)
    except IntegrityError as error:
        taken = {"code": _("The school has a reader with this code already.")}
        raise FieldsError(taken, Code.CONFLICT) from error
    details = {"code": code} | asdict(settings)
    note(session, school_id, actor, "reader.made", f"reader:{reader.id}", details=details)
    return reader


def find_reader(session: Session, school_id: int, reader_id: int) -> Reader:
    """One reader of a school. Raises AppError(NOT_FOUND)."""
    reader = session.scalar(
        select(Reader).where(Reader.school_id == school_id, Reader.id == reader_id)
    )
    if reader is None:
        raise AppError(Code.NOT_FOUND, "There is no such reader.")
    return reader


def change_reader(
    session: Session,
    actor: Actor,
    school_id: int,
    reader_id: int,
    wanted: ReaderSettings,
    seen: str | None = None,
) -> bool:
    """Whether anything changed.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when the reader is not as it was seen.
    """
    reader = session.scalar(
        select(Reader)
        .where(Reader.school_id == school_id, Reader.id == reader_id)
        .with_for_update()
    )
    if reader is None:
        raise AppError(Code.NOT_FOUND, "There is no such reader.")
    before, after = asdict(settings_of(reader)), asdict(wanted)
    refuse_if_changed(before, seen)
    if before == after:
        return False
    refuse_foreign_campus(session, school_id, wanted.campus_id)
    for name, value in _columns(wanted).items():
        setattr(reader, name, value)
    session.flush()
    changed = changes(before, after)
    if "byte_order" in changed:
        start_lists_anew(session, school_id)
    note(session, school_id, actor, "reader.changed", f"reader:{reader_id}", details=changed)
    return True


def _columns(settings: ReaderSettings) -> dict[str, object]:
    return asdict(settings)
