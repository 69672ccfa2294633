"""Cards, whose they are and were, and the list that readers judge by."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schema.messages import CardState
from schema.tables.metadata import Choice, Id, SchoolId, Table


class Card(Table):
    """A card, by its canonical number (upper-case hex)."""

    __tablename__ = "card"
    __table_args__ = (UniqueConstraint("school_id", "uid"),)

    id: Mapped[Id]
    school_id: Mapped[SchoolId]
    uid: Mapped[str] = mapped_column(String(20))
    state: Mapped[CardState] = mapped_column(Choice(CardState), default=CardState.ACTIVE)
    state_since: Mapped[datetime]


class CardBinding(Table):
    """That a card was a student's from `bound_at` until `unbound_at`."""

    __tablename__ = "card_binding"
    __table_args__ = (Index(None, "card_id"), Index(None, "student_id"))

    id: Mapped[Id]
    school_id: Mapped[SchoolId]
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id"))
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    bound_at: Mapped[datetime]
    unbound_at: Mapped[datetime | None]


class CardChange(Table):
    """One change of a school's card list; `version` counts them without gaps."""

    __tablename__ = "card_change"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uid: Mapped[str] = mapped_column(String(20))
    state: Mapped[CardState] = mapped_column(Choice(CardState))
    changed_at: Mapped[datetime]
