"""what a message was sent to, and since when a carrier rests."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SENT_TO = """
UPDATE message SET
    to_hash = (SELECT phone_hash FROM guardian WHERE guardian.id = message.guardian_id
        AND (phone_since IS NULL OR phone_since <= message.tried_at)),
    to_sealed = (SELECT phone_sealed FROM guardian WHERE guardian.id = message.guardian_id
        AND (phone_since IS NULL OR phone_since <= message.tried_at))
WHERE state = '{state}'
"""
"""Of what is under way or unclear: the guardian's number, unless it is another one since."""
_OF_NOBODY = """
UPDATE message SET state = 'undelivered', look_up_at = NULL
WHERE state = 'unknown' AND student_id = 0
"""
"""Unclear messages of erased students: nobody can say any more whether they arrived."""


def upgrade() -> None:
    with op.batch_alter_table("carrier_health", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("passed_over_since", sa.DateTime(timezone=True), nullable=True)
        )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("to_sealed", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("to_hash", sa.LargeBinary(length=32), nullable=True))
    op.execute(_OF_NOBODY)
    # One state at a time, as their partial indexes have it.
    for state in ("sending", "unknown"):
        op.execute(_SENT_TO.format(state=state))


def downgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_column("to_hash")
        batch_op.drop_column("to_sealed")
    with op.batch_alter_table("carrier_health", schema=None) as batch_op:
        batch_op.drop_column("passed_over_since")
