"""A school's design of its cards: colour, what stands on them, which way up, and the back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.clean_text import clean
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.seen import changes, refuse_if_changed
from schema.tables.card_faces import CardFace, FaceField, FaceOrientation

_COLOUR = re.compile(r"#[0-9a-f]{6}")
MOST_BACK = 300


@dataclass(frozen=True)
class Design:
    """How the cards of a school look."""

    colour: str = "#1f5fa8"
    orientation: FaceOrientation = FaceOrientation.LANDSCAPE
    fields: frozenset[FaceField] = frozenset(FaceField)
    back_text: str = "此卡仅限本人使用。拾到此卡，请交学校教务处或门卫，谢谢。"

    def has(self, field: FaceField) -> bool:
        """Whether this is printed."""
        return field in self.fields

    @property
    def is_landscape(self) -> bool:
        return self.orientation is FaceOrientation.LANDSCAPE


def read_design(typed: Mapping[str, str]) -> Design:
    """What somebody chose. Raises FieldsError."""
    wrong = Problems()
    colour = typed.get("colour", "").strip().lower()
    if not _COLOUR.fullmatch(colour):
        wrong.add("colour", _("Choose a colour."))
    orientation = typed.get("orientation", "")
    if orientation not in list(FaceOrientation):
        wrong.add("orientation", _("Choose from the list."))
    lines = [clean(line) for line in typed.get("back_text", "").splitlines()]
    back = "\n".join(lines).strip()
    if len(back) > MOST_BACK:
        wrong.add("back_text", _("The back has room for 300 characters."))
    wrong.refuse()
    fields = frozenset(field for field in FaceField if typed.get(field.value))
    return Design(colour, FaceOrientation(orientation), fields, back)


def find_design(session: Session, school_id: int) -> Design:
    """The school's own design, or the usual one."""
    row = session.get(CardFace, school_id)
    if row is None:
        return Design()
    fields = frozenset(map(FaceField, row.fields.split()))
    return Design(row.colour, row.orientation, fields, row.back_text)


def values_of(design: Design) -> dict[str, object]:
    """The design as a form shows it: a field that is printed has a 1."""
    return {
        "colour": design.colour,
        "orientation": design.orientation.value,
        "back_text": design.back_text,
        **{field.value: "1" if design.has(field) else "" for field in FaceField},
    }


def keep_design(
    session: Session,
    actor: Actor,
    school_id: int,
    wanted: Design,
    now: datetime,
    seen: str | None = None,
) -> None:
    """Let the school's cards look like this. Raises AppError(CONFLICT) when another was seen."""
    before = values_of(find_design(session, school_id))
    refuse_if_changed(before, seen)
    row = session.get(CardFace, school_id)
    if row is None:
        row = CardFace(school_id=school_id)
        session.add(row)
    row.colour, row.orientation, row.back_text = wanted.colour, wanted.orientation, wanted.back_text
    row.fields, row.changed_at = " ".join(sorted(wanted.fields)), now
    session.flush()
    details = changes(before, values_of(wanted))
    note(session, school_id, actor, "face.changed", f"school:{school_id}", details=details)
