"""Rosters on their way into the school: files that wait, how columns were read, where to fetch."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable


class RosterSource(StrEnum):
    """What kind of thing waits."""

    SHEET = "sheet"
    """A spreadsheet or a text; that of a register system (CMIS) too."""
    ONEROSTER = "oneroster"
    """A package of OneRoster files."""
    FETCHED = "fetched"
    """A roster that a OneRoster service gave."""


class RosterState(StrEnum):
    """What has become of it."""

    WAITING = "waiting"
    DONE = "done"
    DISCARDED = "discarded"
    """Somebody said no, or nobody said yes within a day."""


class RosterImport(SchoolTable):
    """A roster that somebody handed in; its contents are gone once it is done, or after a day."""

    __tablename__ = "roster_import"
    __table_args__ = (Index(None, "school_id", "id"), Index(None, "state", "expires_at"))

    id: Mapped[Id]
    state: Mapped[RosterState] = mapped_column(Choice(RosterState))
    source: Mapped[RosterSource] = mapped_column(Choice(RosterSource))
    file_name: Mapped[str] = mapped_column(String(200))
    file_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the file, in hex."""
    file_bytes: Mapped[int]
    body_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """Large, and read only where somebody asks for it; so is the view."""
    choices_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """JSON: how it is to be read, and what was mended in it."""
    view_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """JSON: the difference as it was last made, for its pages; None: to be made."""
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Of that difference: what is imported must be what was shown."""
    counts: Mapped[str] = mapped_column(Text, default="{}")
    """JSON: how many are new, changed, moved, gone, …"""
    made_by_name: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    job_id: Mapped[int | None]
    """The job that imports it; refers to no row, for jobs go after a month."""


class RosterMapping(SchoolTable):
    """What staff said that the columns of a sheet mean, for the next sheet with the same ones."""

    __tablename__ = "roster_mapping"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Of the header."""
    targets: Mapped[str] = mapped_column(Text)
    """JSON: for each column the key of what it means, or null."""
    changed_at: Mapped[datetime]


class RosterService(SchoolTable):
    """A OneRoster service from which a school fetches its roster."""

    __tablename__ = "roster_service"

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    token_url: Mapped[str] = mapped_column(String(500))
    client_id: Mapped[str] = mapped_column(String(200))
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[str] = mapped_column(String(8))
    """"1.1" or "1.2"."""
    changed_at: Mapped[datetime]
    fetched_at: Mapped[datetime | None]
