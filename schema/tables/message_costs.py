"""What messages cost, added up by day, homeroom and kind."""

from datetime import date

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.messages import MessageKind
from schema.tables.metadata import Choice, SchoolTable


class MessageCostDay(SchoolTable):
    """What the messages of one kind about one homeroom's students cost on one day.

    Those count that a carrier took, or may have taken. A row may have come back to nothing.
    """

    __tablename__ = "message_cost_day"

    school_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """`tried_on` of its messages."""
    homeroom_id: Mapped[int] = mapped_column(primary_key=True)
    """`homeroom_id` of its messages; 0 for those that have none."""
    kind: Mapped[MessageKind] = mapped_column(Choice(MessageKind), primary_key=True)
    messages: Mapped[int]
    segments: Mapped[int]
    price: Mapped[int] = mapped_column(BigInteger)
    """In thousandths of the school's currency."""
