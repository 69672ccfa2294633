"""sums of homerooms."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SUMS = ("away", "late_sessions", "left_early_sessions", "absent_sessions", "on_leave_sessions")
_FILL = """
UPDATE homeroom_day
SET away = odd.away,
    late_sessions = odd.late_sessions,
    left_early_sessions = odd.left_early_sessions,
    absent_sessions = odd.absent_sessions,
    on_leave_sessions = odd.on_leave_sessions
FROM (
    SELECT school_id, homeroom_id, day,
           sum(CASE WHEN present = 0 AND (absent > 0 OR on_leave > 0) THEN 1 ELSE 0 END) AS away,
           sum(CASE WHEN late > 0 THEN late WHEN late_minutes > 0 THEN 1 ELSE 0 END)
               AS late_sessions,
           sum(left_early) AS left_early_sessions,
           sum(absent) AS absent_sessions,
           sum(on_leave) AS on_leave_sessions
    FROM attendance
    WHERE late > 0 OR late_minutes > 0 OR left_early > 0 OR absent > 0 OR on_leave > 0
    GROUP BY school_id, homeroom_id, day
) AS odd
WHERE homeroom_day.school_id = odd.school_id AND homeroom_day.homeroom_id = odd.homeroom_id
  AND homeroom_day.day = odd.day
"""
_ODD_BEFORE = (
    "attendance.late_minutes > 0 OR attendance.left_early > 0 OR attendance.absent > 0"
    " OR attendance.on_leave > 0 OR attendance.findings <> ''"
)
# Who is late because a teacher says so has no minutes.
_ODD = f"attendance.late > 0 OR {_ODD_BEFORE}"
_COLUMNS_BEFORE = (
    "school_id",
    "day",
    "student_id",
    "homeroom_id",
    "late",
    "late_minutes",
    "left_early",
    "absent",
    "on_leave",
    "present",
)
_COLUMNS = (
    "school_id",
    "day",
    "student_id",
    "late",
    "late_minutes",
    "left_early",
    "absent",
    "on_leave",
    "findings",
)


def upgrade() -> None:
    with op.batch_alter_table("homeroom_day", schema=None) as batch_op:
        for name in _SUMS:
            batch_op.add_column(sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.execute(_FILL)
    _make_odd_index(_ODD, _COLUMNS)


def downgrade() -> None:
    _make_odd_index(_ODD_BEFORE, _COLUMNS_BEFORE)
    with op.batch_alter_table("homeroom_day", schema=None) as batch_op:
        for name in reversed(_SUMS):
            batch_op.drop_column(name)


def _make_odd_index(condition: str, columns: tuple[str, ...]) -> None:
    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.drop_index("ix_attendance_odd")
        batch_op.create_index(
            "ix_attendance_odd",
            columns,
            unique=False,
            postgresql_where=sa.text(condition),
            sqlite_where=sa.text(condition),
        )
