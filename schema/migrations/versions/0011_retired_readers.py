"""readers that are retired or of one campus, and who is on an evacuation's list without a tap."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reader", schema=None) as batch_op:
        batch_op.add_column(sa.Column("campus_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_reader_campus_id"), "campus", ["campus_id"], ["id"]
        )
    with op.batch_alter_table("evacuation_student", schema=None) as batch_op:
        for name in ("is_marked", "is_added"):
            batch_op.add_column(
                sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
            )


def downgrade() -> None:
    with op.batch_alter_table("evacuation_student", schema=None) as batch_op:
        batch_op.drop_column("is_added")
        batch_op.drop_column("is_marked")
    with op.batch_alter_table("reader", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_reader_campus_id"), type_="foreignkey")
        batch_op.drop_column("retired_at")
        batch_op.drop_column("campus_id")
