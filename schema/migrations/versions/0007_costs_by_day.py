"""costs by day."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DAY = {
    "postgresql": "CAST(tried_at AT TIME ZONE school.zone AS date)",
    "sqlite": "day_of(tried_at, school.zone)",
}
_TRIED = """
UPDATE message SET
    tried_on = tried.day,
    homeroom_id = coalesce(
        (SELECT homeroom_id FROM homeroom_stay AS stay
         WHERE stay.student_id = message.student_id AND stay.from_on <= tried.day
           AND (stay.until_on IS NULL OR stay.until_on > tried.day)
         ORDER BY stay.from_on DESC LIMIT 1),
        (SELECT homeroom_id FROM student WHERE student.id = message.student_id),
        0)
FROM (
    SELECT message.school_id, message.id, {day} AS day
    FROM message JOIN school ON school.id = message.school_id
    WHERE tried_at IS NOT NULL
) AS tried
WHERE message.school_id = tried.school_id AND message.id = tried.id
"""
"""The homeroom is the one of that day, or if nobody wrote that down the one of today."""
_SUMS = """
INSERT INTO message_cost_day
SELECT school_id, tried_on, homeroom_id, kind, count(*), sum(segments), sum(price)
FROM message
WHERE tried_on IS NOT NULL AND state IN ('accepted', 'delivered', 'undelivered', 'unknown')
GROUP BY school_id, tried_on, homeroom_id, kind
"""
_OF_COSTS = ["school_id", "tried_at", "kind", "student_id", "state", "segments", "price"]
_WHERE_TRIED = {
    "postgresql_where": sa.text("tried_at IS NOT NULL"),
    "sqlite_where": sa.text("tried_at IS NOT NULL"),
}


def upgrade() -> None:
    op.create_table(
        "message_cost_day",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("homeroom_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "school_id", "day", "homeroom_id", "kind", name=op.f("pk_message_cost_day")
        ),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index("ix_message_tried_at", **_WHERE_TRIED)
        batch_op.add_column(sa.Column("state_before", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("tried_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("homeroom_id", sa.Integer(), server_default="0", nullable=False)
        )
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.connection.create_function("day_of", 2, _day_of)
    op.execute(_TRIED.format(day=_DAY[connection.dialect.name]))
    op.execute(_SUMS)


def _day_of(moment: str, zone: str) -> str:
    """The school's day of a moment, as SQLite keeps both."""
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return at.astimezone(ZoneInfo(zone)).date().isoformat()


def downgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_column("homeroom_id")
        batch_op.drop_column("tried_on")
        batch_op.drop_column("state_before")
        batch_op.create_index("ix_message_tried_at", _OF_COSTS, unique=False, **_WHERE_TRIED)
    op.drop_table("message_cost_day")
