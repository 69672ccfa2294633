"""How a school's cards look (卡面)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, SchoolTable


class FaceField(StrEnum):
    """What may stand on the front of a card, beside school and name."""

    LOGO = "logo"
    PHOTO = "photo"
    NUMBER = "number"
    HOMEROOM = "homeroom"
    QR = "qr"


class FaceOrientation(StrEnum):
    """Which way a card is held."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"


class CardFace(SchoolTable):
    """One school's design; a school without a row has the usual one."""

    __tablename__ = "card_face"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    colour: Mapped[str] = mapped_column(String(7))
    """As #rrggbb."""
    orientation: Mapped[FaceOrientation] = mapped_column(Choice(FaceOrientation))
    fields: Mapped[str] = mapped_column(String(80))
    """The words of FaceField that are printed, with spaces between."""
    back_text: Mapped[str] = mapped_column(String(300))
    """What the back says, such as where a found card is to be brought."""
    changed_at: Mapped[datetime]
