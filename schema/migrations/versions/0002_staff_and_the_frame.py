"""staff and the frame."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("role", sa.String(length=24), nullable=False),
        sa.Column("scope", sa.String(length=24), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("homeroom_id", sa.Integer(), nullable=True),
        sa.Column("place", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(
            ["homeroom_id"], ["homeroom.id"], name=op.f("fk_staff_grant_homeroom_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_staff_grant_school_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_grant_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_grant")),
    )
    with op.batch_alter_table("staff_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_grant_staff_id"), ["staff_id"], unique=False)

    op.execute(
        "INSERT INTO staff_grant (staff_id, school_id, role, scope)"
        " SELECT id, school_id, role, 'school' FROM staff"
    )
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.alter_column("school_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.drop_column("role")

    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.add_column(sa.Column("school_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_staff_session_school_id"), "school", ["school_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_staff_session_school_id"), type_="foreignkey")
        batch_op.drop_column("school_id")

    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("role", sa.VARCHAR(length=24), nullable=False))
        batch_op.alter_column("school_id", existing_type=sa.INTEGER(), nullable=False)

    with op.batch_alter_table("staff_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_grant_staff_id"))

    op.drop_table("staff_grant")
