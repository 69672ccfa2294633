"""The dormitory's roll call (晚点名): which boarder was there on which evening, and who said so."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import SchoolTable


class RollCall(SchoolTable):
    """One boarder of one evening; without a row nobody has called them yet."""

    __tablename__ = "roll_call"
    __table_args__ = (Index(None, "school_id", "day"),)

    student_id: Mapped[int] = mapped_column(ForeignKey("student.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """The evening, also for what is said after midnight."""
    is_here: Mapped[bool]
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]
