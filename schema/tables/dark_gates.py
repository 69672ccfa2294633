"""Gates that a day's judging does not wait for, because somebody of the school said so."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import SchoolTable


class GateLeftOut(SchoolTable):
    """That absence on a day is judged without a gate; its taps mend the day when they come."""

    __tablename__ = "gate_left_out"

    reader_id: Mapped[int] = mapped_column(ForeignKey("reader.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))
    said_by: Mapped[str] = mapped_column(String(120))
    said_at: Mapped[datetime]
