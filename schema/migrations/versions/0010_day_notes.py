"""notes beside a day, the minutes of a correction, and which corrections were made by one click."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "day_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.String(length=200), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(length=120), server_default="", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_day_note_school_id")),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name=op.f("fk_day_note_student_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_day_note")),
    )
    with op.batch_alter_table("day_note", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_day_note_school_id_student_id_day"),
            ["school_id", "student_id", "day"],
            unique=False,
        )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.add_column(sa.Column("minutes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("marking_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_column("marking_id")
        batch_op.drop_column("minutes")
    with op.batch_alter_table("day_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_day_note_school_id_student_id_day"))
    op.drop_table("day_note")
