"""Guardians' own page (家长页面): links to it, codes that show whose phone it is, and sessions."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Id, SchoolTable


class ParentLink(SchoolTable):
    """A link to one guardian's page, as it stands in a message."""

    __tablename__ = "parent_link"
    __table_args__ = (Index(None, "guardian_id"),)

    id: Mapped[Id]
    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardian.id"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16))
    """What is signed, with the id: ending a link needs no list of keys."""
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ParentCode(SchoolTable):
    """The code that a guardian was sent last, to show whose phone it is."""

    __tablename__ = "parent_code"

    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardian.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    code_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """For the notifier, which puts it in the message's place of the digits."""
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    used_at: Mapped[datetime | None]


class ParentSession(SchoolTable):
    """A guardian's phone that has shown its code."""

    __tablename__ = "parent_session"
    __table_args__ = (Index(None, "guardian_id"),)

    id: Mapped[Id]
    guardian_id: Mapped[int] = mapped_column(ForeignKey("guardian.id"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    browser: Mapped[str] = mapped_column(String(120), default="", server_default="")
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
