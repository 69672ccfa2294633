"""The audit log: a hash chain for each school, with the personal data outside of it.

Chain 0 is the district's; so `school_id` refers to no row of `school`, and outlives one.
"""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import SchoolTable

DISTRICT = 0
"""The `school_id` of what happened in no school."""


class AuditHead(SchoolTable):
    """The end of one chain: whoever appends locks this row, so that a chain cannot fork."""

    __tablename__ = "audit_head"

    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditEntry(SchoolTable):
    """Who did what, when, to what; numbered from 1 without gaps, and it names nobody."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index(None, "school_id", "at"),
        Index(None, "school_id", "action", "seq"),
        Index(None, "school_id", "subject", "seq"),
        Index(None, "school_id", "actor_kind", "actor_id", "seq"),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(80))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the detail's text, which holds 32 random bytes: nobody can guess it back."""
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditDetail(SchoolTable):
    """The personal part of an entry: name, address, reason, values; may be erased."""

    __tablename__ = "audit_detail"
    __table_args__ = (
        ForeignKeyConstraint(["school_id", "seq"], ["audit_entry.school_id", "audit_entry.seq"]),
    )

    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed (AES-GCM) with `data_key`."""
