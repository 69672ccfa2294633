"""Taps on record that are judged otherwise, because something earlier came in later."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from card_server.attendance.facts import TapJudgement
from card_server.attendance.loading import Judgement
from schema.tables.taps import DirectionBy, Tap


class TapChange(Struct, frozen=True, gc=False):
    """A tap on record that is judged otherwise than it was."""

    school_id: int
    student_id: int
    before: Judgement
    after: TapJudgement


def rewrite_taps(session: Session, changes: Sequence[TapChange]) -> None:
    """Note at the taps what they are now."""
    if not changes:
        return
    session.connection().execute(
        _REWRITE,
        [
            {
                "in_school": one.school_id,
                "this_id": one.after.id,
                "direction": one.after.direction,
                "direction_by": by_of(one.after, one.before.by is DirectionBy.READER),
                "effect": one.after.effect,
            }
            for one in changes
        ],
    )


def by_of(tap: TapJudgement, is_fixed: bool) -> DirectionBy:
    """What decided a tap's direction, as the tap keeps it.

    `reader` stands there only for a reader with a direction of its own: by that the tap is judged
    ever after. A double tap at another one has its direction from the tap before.
    """
    if tap.by is DirectionBy.READER and not is_fixed:
        return DirectionBy.ALTERNATION
    return tap.by


def differs(stands: Judgement, tap: TapJudgement) -> bool:
    """Whether a tap on record is not as it is judged now."""
    by = by_of(tap, stands.by is DirectionBy.READER)
    return (stands.effect, stands.direction, stands.by) != (tap.effect, tap.direction, by)


_TAP = Tap.__table__.c
_REWRITE = (
    update(Tap.__table__)  # type: ignore[arg-type]
    .where(_TAP.school_id == bindparam("in_school"), _TAP.id == bindparam("this_id"))
    .values(
        direction=bindparam("direction"),
        direction_by=bindparam("direction_by"),
        effect=bindparam("effect"),
    )
)
