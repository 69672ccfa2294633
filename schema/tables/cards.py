"""Cards, whose they are and were, each step of theirs, and the list that readers judge by."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schema.messages import CardState
from schema.tables.metadata import Choice, Id, SchoolTable


class CardKind(StrEnum):
    """How long a card is meant to be somebody's."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    """Lent for a day (临时卡)."""


class CardStep(StrEnum):
    """What was done with a card."""

    STOCKED = "stocked"
    """入库: the school has it, and it is nobody's."""
    ISSUED = "issued"
    """发卡: bound to a student."""
    LENT = "lent"
    """临时卡: bound until `expires_at`."""
    LOST = "lost"
    """挂失."""
    FOUND = "found"
    """解挂."""
    REPLACED = "replaced"
    """补卡: another card has taken its place."""
    RETURNED = "returned"
    """退卡: back in stock."""
    EXPIRED = "expired"
    BLACKLISTED = "blacklisted"
    """作废: never to be used again."""


class Card(SchoolTable):
    """A card, by its canonical number (upper-case hex)."""

    __tablename__ = "card"
    __table_args__ = (UniqueConstraint("school_id", "uid"), Index(None, "expires_at"))

    id: Mapped[Id]
    uid: Mapped[str] = mapped_column(String(20))
    state: Mapped[CardState] = mapped_column(Choice(CardState), default=CardState.ACTIVE)
    state_since: Mapped[datetime]
    kind: Mapped[CardKind] = mapped_column(
        Choice(CardKind), default=CardKind.PERMANENT, server_default=CardKind.PERMANENT.value
    )
    label: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """What is printed on it, where that is not its number."""
    expires_at: Mapped[datetime | None]


class CardHistory(SchoolTable):
    """One step of a card: what was done, when, by whom and why."""

    __tablename__ = "card_history"
    __table_args__ = (Index(None, "card_id", "at"), Index(None, "student_id"))

    id: Mapped[Id]
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id"))
    step: Mapped[CardStep] = mapped_column(Choice(CardStep))
    state: Mapped[CardState] = mapped_column(Choice(CardState))
    """The card's state from then on."""
    student_id: Mapped[int | None] = mapped_column(ForeignKey("student.id"))
    """Whose it was or became."""
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(200), default="", server_default="")


class CardBinding(SchoolTable):
    """That a card was a student's valid card from `bound_at` until `unbound_at`.

    A card that is lost keeps its binding, whose end is set to that moment as soon as more happens:
    when it is found, another binding of the same student begins.
    """

    __tablename__ = "card_binding"
    __table_args__ = (Index(None, "card_id"), Index(None, "student_id"))

    id: Mapped[Id]
    card_id: Mapped[int] = mapped_column(ForeignKey("card.id"))
    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"))
    bound_at: Mapped[datetime]
    unbound_at: Mapped[datetime | None]


class CardChange(SchoolTable):
    """One change of a school's card list; `version` rises.

    A version without a row stands for a change that only a whole new list can tell.
    """

    __tablename__ = "card_change"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uid: Mapped[str] = mapped_column(String(20))
    state: Mapped[CardState] = mapped_column(Choice(CardState))
    changed_at: Mapped[datetime]
