"""Tokens: what lets another program ask on behalf of whoever made it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from schema.tables.metadata import Choice, Id, SchoolTable
from schema.tables.staff import Role, Scope


class ApiToken(SchoolTable):
    """One token with one grant in one school; of the token itself only its SHA-256 is kept."""

    __tablename__ = "api_token"
    __table_args__ = (Index(None, "school_id"),)

    id: Mapped[Id]
    made_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    """Whose rights it borrows: it never reaches further than theirs do now."""
    name: Mapped[str] = mapped_column(String(60))
    """What it is for, as its maker says it."""
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    role: Mapped[Role] = mapped_column(Choice(Role))
    scope: Mapped[Scope] = mapped_column(Choice(Scope))
    grade: Mapped[int | None]
    homeroom_id: Mapped[int | None] = mapped_column(ForeignKey("homeroom.id"))
    place: Mapped[str | None] = mapped_column(String(60))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    """When it was last used, give or take a minute."""
    revoked_at: Mapped[datetime | None]
