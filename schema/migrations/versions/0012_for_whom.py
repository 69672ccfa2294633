"""for whom a timetable's session is: everybody, day students, boarders."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("timetable_session", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("for_whom", sa.String(length=24), server_default="everybody", nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("timetable_session", schema=None) as batch_op:
        batch_op.drop_column("for_whom")
