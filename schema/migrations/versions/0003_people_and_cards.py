"""people and cards."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registration",
        sa.Column("school_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("term_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("student_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("homeroom_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=True),
        sa.Column("tap_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.String(length=120), server_default="", nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("school_id", "term_id", "student_id", name=op.f("pk_registration")),
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_registration_school_id_noted_at"),
            ["school_id", "noted_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_registration_school_id_student_id"),
            ["school_id", "student_id"],
            unique=False,
        )

    op.create_table(
        "campus",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_campus_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campus")),
        sa.UniqueConstraint("school_id", "name", name=op.f("uq_campus_school_id_name")),
    )
    op.create_table(
        "card_face",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("orientation", sa.String(length=24), nullable=False),
        sa.Column("fields", sa.String(length=80), nullable=False),
        sa.Column("back_text", sa.String(length=300), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_card_face_school_id")),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_card_face")),
    )
    op.create_table(
        "roster_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("file_bytes", sa.Integer(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("choices_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("view_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("made_by_name", sa.String(length=120), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_roster_import_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_import")),
    )
    with op.batch_alter_table("roster_import", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_roster_import_school_id_id"), ["school_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_roster_import_state_expires_at"), ["state", "expires_at"], unique=False
        )

    op.create_table(
        "roster_mapping",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("targets", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_roster_mapping_school_id")
        ),
        sa.PrimaryKeyConstraint("school_id", "fingerprint", name=op.f("pk_roster_mapping")),
    )
    op.create_table(
        "roster_service",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("token_url", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=200), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.String(length=8), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_roster_service_school_id")
        ),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_roster_service")),
    )
    op.create_table(
        "term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_term_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("school_id", "starts_on", name=op.f("uq_term_school_id_starts_on")),
    )
    op.create_table(
        "guardian_phone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("guardian_id", sa.Integer(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("phone_tail", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.id"], name=op.f("fk_guardian_phone_guardian_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_guardian_phone_school_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guardian_phone")),
    )
    with op.batch_alter_table("guardian_phone", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_guardian_phone_guardian_id"), ["guardian_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_guardian_phone_school_id_phone_hash"),
            ["school_id", "phone_hash"],
            unique=False,
        )

    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=24), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("made_by_name", sa.String(length=60), nullable=False),
        sa.Column("made_as", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("message_values", sa.Text(), nullable=False),
        sa.Column("file_name", sa.String(length=160), nullable=True),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("file_bytes", sa.Integer(), nullable=False),
        sa.Column("file_rows", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=60), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name=op.f("fk_job_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_finished_at"), ["finished_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_job_school_id_changed_at"), ["school_id", "changed_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_job_school_id_made_by_id"), ["school_id", "made_by", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_job_state_id"), ["state", "id"], unique=False)

    op.create_table(
        "job_piece",
        sa.Column("job_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.String(length=24), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_job_piece_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "part", "number", name=op.f("pk_job_piece")),
    )
    op.create_table(
        "boarding",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_boarding_school_id")),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name=op.f("fk_boarding_student_id")
        ),
        sa.PrimaryKeyConstraint("student_id", "from_on", name=op.f("pk_boarding")),
    )
    op.create_table(
        "card_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("card_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_card_history_card_id")),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_card_history_school_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name=op.f("fk_card_history_student_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_history")),
    )
    with op.batch_alter_table("card_history", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_card_history_card_id_at"), ["card_id", "at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_card_history_student_id"), ["student_id"], unique=False
        )

    op.create_table(
        "homeroom_stay",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("homeroom_id", sa.Integer(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["homeroom_id"], ["homeroom.id"], name=op.f("fk_homeroom_stay_homeroom_id")
        ),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_homeroom_stay_school_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name=op.f("fk_homeroom_stay_student_id")
        ),
        sa.PrimaryKeyConstraint("student_id", "from_on", name=op.f("pk_homeroom_stay")),
    )
    with op.batch_alter_table("homeroom_stay", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_homeroom_stay_homeroom_id"), ["homeroom_id"], unique=False
        )

    op.create_table(
        "student_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_by", sa.String(length=120), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_student_note_school_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name=op.f("fk_student_note_student_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student_note")),
    )
    with op.batch_alter_table("student_note", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_student_note_student_id"), ["student_id"], unique=False
        )

    op.create_table(
        "student_photo",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["school_id"], ["school.id"], name=op.f("fk_student_photo_school_id")
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["student.id"], name=op.f("fk_student_photo_student_id")
        ),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_student_photo")),
    )
    with op.batch_alter_table("card", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=24), server_default="permanent", nullable=False)
        )
        batch_op.add_column(
            sa.Column("label", sa.String(length=32), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_card_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("guardian", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sourced_id", sa.String(length=80), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_guardian_school_id_sourced_id"),
            ["school_id", "sourced_id"],
            unique=False,
        )

    with op.batch_alter_table("guardianship", schema=None) as batch_op:
        batch_op.add_column(sa.Column("priority", sa.Integer(), server_default="1", nullable=False))

    with op.batch_alter_table("homeroom", schema=None) as batch_op:
        batch_op.add_column(sa.Column("campus_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("school_year", sa.Integer(), server_default="2026", nullable=False)
        )
        batch_op.add_column(
            sa.Column("is_past", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("sourced_id", sa.String(length=80), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_homeroom_school_id_name"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_homeroom_school_id_school_year_name"),
            ["school_id", "school_year", "name"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_homeroom_campus_id"), "campus", ["campus_id"], ["id"]
        )

    with op.batch_alter_table("school", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("cards_per_student", sa.Integer(), server_default="1", nullable=False)
        )
        batch_op.add_column(
            sa.Column("phone_countries", sa.String(length=40), server_default="CN", nullable=False)
        )

    with op.batch_alter_table("student", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("sex", sa.String(length=24), server_default="unknown", nullable=False)
        )
        batch_op.add_column(sa.Column("born_on", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("status", sa.String(length=24), server_default="enrolled", nullable=False)
        )
        batch_op.add_column(sa.Column("status_since", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("identity_sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("identity_hash", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(
            sa.Column("identity_tail", sa.String(length=4), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("registry_sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(
            sa.Column("registry_tail", sa.String(length=4), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("sourced_id", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_student_school_id_identity_hash"),
            ["school_id", "identity_hash"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_student_school_id_sourced_id"), ["school_id", "sourced_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("student", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_student_school_id_sourced_id"))
        batch_op.drop_index(batch_op.f("ix_student_school_id_identity_hash"))
        batch_op.drop_column("erased_at")
        batch_op.drop_column("gone_at")
        batch_op.drop_column("sourced_id")
        batch_op.drop_column("registry_tail")
        batch_op.drop_column("registry_sealed")
        batch_op.drop_column("identity_tail")
        batch_op.drop_column("identity_hash")
        batch_op.drop_column("identity_sealed")
        batch_op.drop_column("status_since")
        batch_op.drop_column("status")
        batch_op.drop_column("born_on")
        batch_op.drop_column("sex")

    with op.batch_alter_table("school", schema=None) as batch_op:
        batch_op.drop_column("phone_countries")
        batch_op.drop_column("cards_per_student")

    with op.batch_alter_table("homeroom", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_homeroom_campus_id"), type_="foreignkey")
        batch_op.drop_constraint(
            batch_op.f("uq_homeroom_school_id_school_year_name"), type_="unique"
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_homeroom_school_id_name"), ["school_id", "name"]
        )
        batch_op.drop_column("sourced_id")
        batch_op.drop_column("is_past")
        batch_op.drop_column("school_year")
        batch_op.drop_column("campus_id")

    with op.batch_alter_table("guardianship", schema=None) as batch_op:
        batch_op.drop_column("priority")

    with op.batch_alter_table("guardian", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guardian_school_id_sourced_id"))
        batch_op.drop_column("sourced_id")

    with op.batch_alter_table("card", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_card_expires_at"))
        batch_op.drop_column("expires_at")
        batch_op.drop_column("label")
        batch_op.drop_column("kind")

    op.drop_table("student_photo")
    with op.batch_alter_table("student_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_student_note_student_id"))

    op.drop_table("student_note")
    with op.batch_alter_table("homeroom_stay", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_homeroom_stay_homeroom_id"))

    op.drop_table("homeroom_stay")
    with op.batch_alter_table("card_history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_card_history_student_id"))
        batch_op.drop_index(batch_op.f("ix_card_history_card_id_at"))

    op.drop_table("card_history")
    op.drop_table("boarding")
    op.drop_table("job_piece")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_state_id"))
        batch_op.drop_index(batch_op.f("ix_job_school_id_made_by_id"))
        batch_op.drop_index(batch_op.f("ix_job_school_id_changed_at"))
        batch_op.drop_index(batch_op.f("ix_job_finished_at"))

    op.drop_table("job")
    with op.batch_alter_table("guardian_phone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guardian_phone_school_id_phone_hash"))
        batch_op.drop_index(batch_op.f("ix_guardian_phone_guardian_id"))

    op.drop_table("guardian_phone")
    op.drop_table("term")
    op.drop_table("roster_service")
    op.drop_table("roster_mapping")
    with op.batch_alter_table("roster_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_roster_import_state_expires_at"))
        batch_op.drop_index(batch_op.f("ix_roster_import_school_id_id"))

    op.drop_table("roster_import")
    op.drop_table("card_face")
    op.drop_table("campus")
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_school_id_student_id"))
        batch_op.drop_index(batch_op.f("ix_registration_school_id_noted_at"))

    op.drop_table("registration")
