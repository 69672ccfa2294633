"""Long work in the background (后台任务): what was asked, how far it is, what came of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable, Table
from schema.tables.people import Language


class JobState(StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobPart(StrEnum):
    """Whose bytes a piece is a part of."""

    INPUT = "input"
    RESULT = "result"


class Job(SchoolTable):
    """One piece of long work, asked for by a member of staff."""

    __tablename__ = "job"
    __table_args__ = (
        Index(None, "state", "id"),
        Index(None, "school_id", "made_by", "id"),
        Index(None, "school_id", "changed_at"),
        Index(None, "finished_at"),
    )

    id: Mapped[Id]
    school_id: Mapped[int] = mapped_column()
    """0 for the district's own, as in the audit log; so it refers to no row."""
    kind: Mapped[str] = mapped_column(String(24))
    """Its name in the registry of kinds."""
    state: Mapped[JobState] = mapped_column(Choice(JobState))
    parameters: Mapped[str] = mapped_column(Text)
    """JSON; ids and choices, nothing about a person."""
    language: Mapped[Language] = mapped_column(Choice(Language))
    """In which its result is written."""
    made_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_by_name: Mapped[str] = mapped_column(String(60))
    made_as: Mapped[str] = mapped_column(String(200))
    """The roles that let its maker ask for it, with spaces between."""
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    """When live pages last had something new to show of it."""
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    """None while nobody knows how much there is to do."""
    message: Mapped[str] = mapped_column(String(500), default="")
    """A sentence in English, which pages translate: why it failed, or what it did."""
    message_values: Mapped[str] = mapped_column(Text, default="{}")
    """JSON: what stands in the sentence's %(…)s; nothing about a person."""
    file_name: Mapped[str | None] = mapped_column(String(160))
    """The result's file; its bytes are pieces. None when there is none."""
    media_type: Mapped[str] = mapped_column(String(100), default="")
    file_bytes: Mapped[int] = mapped_column(default=0)
    file_rows: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(String(60), default="")
    """Machine and process that took it last."""
    lease: Mapped[UUID | None]
    """Which claim works on it now."""
    lease_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    """When its maker first saw that it had ended."""


class JobPiece(Table):
    """A part of a job's input or result, sealed: children's data; gone a day after the end."""

    __tablename__ = "job_piece"

    job_id: Mapped[int] = mapped_column(
        ForeignKey("job.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    part: Mapped[JobPart] = mapped_column(Choice(JobPart), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 0, in the order of the bytes."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
