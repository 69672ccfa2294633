"""Logging in: failures that are counted, codes of a phone, log-ins elsewhere, the first start."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Id, Table


class LogInLock(Table):
    """The recent failures of one account or one address, and until when it is locked for them."""

    __tablename__ = "log_in_lock"
    __table_args__ = (Index(None, "changed_at"),)

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """A hash of the account's id, of an unknown login or of an address: none stands in clear."""
    failed_at: Mapped[list[float]] = mapped_column(JSON)
    """Seconds since 1970, UTC; only those that still count."""
    locked_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class StaffTotp(Table):
    """The secret that somebody's phone and the server share (RFC 6238), sealed."""

    __tablename__ = "staff_totp"

    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    confirmed_at: Mapped[datetime | None]
    """None until a first code has shown that the phone has the secret."""
    last_step: Mapped[int] = mapped_column(default=0)
    """The newest step whose code was used: neither it nor an older one is taken again."""


class RecoveryCode(Table):
    """A code on paper that stands in for the phone, once."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("staff_id", "code_hash"),)

    id: Mapped[Id]
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    used_at: Mapped[datetime | None]


class OidcIdentity(Table):
    """Who an account is at the provider of log-ins (OpenID Connect Core §5.7: issuer, subject)."""

    __tablename__ = "oidc_identity"
    __table_args__ = (UniqueConstraint("staff_id", "issuer"),)

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    linked_at: Mapped[datetime]


class SetUpLink(Table):
    """A link that makes the first account; there are none once there is an account."""

    __tablename__ = "set_up_link"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime]
