"""Leave slips (请假条): asking, approving, refusing, withdrawing, and coming back early."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, clean
from card_server.field_errors import marked as _
from card_server.leave.effect import let_days_know
from card_server.leave.length import needs_school
from card_server.leave.steps import STANDING, approved_state, refuse_step
from card_server.leave.telling import tell_of_leave
from card_server.leave.wishes import MAX_REASON, Wish
from card_server.people.stays import lock_student
from card_server.seen import fingerprint
from card_server.storage.sealing import Seal
from schema.tables.leave import LeaveSlip, LeaveState
from schema.tables.people import StudentStatus


@dataclass(frozen=True)
class Doing:
    """Who does something with leave, in which school, and when."""

    actor: Actor
    school_id: int
    zone: ZoneInfo
    now: datetime
    is_school: bool = False
    """Whether this person speaks for the school, and not for a homeroom alone."""


class OverlapError(FieldsError):
    """Another slip of the student lies over the time that was asked for."""

    def __init__(self, other: LeaveSlip) -> None:
        super().__init__({"from_on": _("The student has leave in this time already.")})
        self.code = Code.CONFLICT
        self.from_at, self.until_at = other.from_at, other.until_at


def find_slip(session: Session, school_id: int, slip_id: int) -> LeaveSlip:
    """One leave slip of a school. Raises AppError(NOT_FOUND)."""
    return _find(session, school_id, slip_id, is_locked=False)


def ask(
    session: Session,
    doing: Doing,
    student_id: int,
    wish: Wish,
    seal: Seal,
    guardian_id: int | None = None,
) -> LeaveSlip:
    """A new slip, which waits for the homeroom teacher.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) for who is not at the school, OverlapError.
    """
    student = lock_student(session, doing.school_id, student_id)
    if student.status is not StudentStatus.ENROLLED:
        raise AppError(Code.CONFLICT, "This student is not at the school now.")
    other = _find_overlap(session, doing.school_id, student_id, wish)
    if other is not None:
        raise OverlapError(other)
    slip = LeaveSlip(
        school_id=doing.school_id,
        student_id=student_id,
        kind=wish.kind,
        from_at=wish.from_at,
        until_at=wish.until_at,
        lets_out=wish.lets_out,
        needs_school=needs_school(session, student, wish, doing.zone),
        reason_sealed=seal.close(wish.reason),
        state=LeaveState.ASKED,
        asked_by=doing.actor.name[:120],
        guardian_id=guardian_id,
        asked_at=doing.now,
    )
    session.add(slip)
    session.flush()
    _note(session, doing, slip, "leave.asked", details=shown_of(slip))
    return slip


def approve(
    session: Session,
    doing: Doing,
    slip_id: int,
    seen: str | None = None,
    lets_out: bool | None = None,
) -> LeaveSlip:
    """The next approval: the homeroom teacher's, or the school's, which is always enough.

    `lets_out` is whether the gate lets the student out; None as it was asked.
    Raises AppError(NOT_FOUND), AppError(NOT_ALLOWED) where only the school still can,
    AppError(CONFLICT) for a slip that is decided or not as it was seen.
    """
    slip = _lock(session, doing, slip_id, seen)
    slip.state = approved_state(slip.state, slip.needs_school, doing.is_school)
    changed: dict[str, object] = {}
    if lets_out is not None and lets_out != slip.lets_out:
        changed["lets_out"] = [slip.lets_out, lets_out]
        slip.lets_out = lets_out
    who = doing.actor.name[:120]
    if slip.state is LeaveState.FIRST_APPROVED:
        slip.first_by, slip.first_at = who, doing.now
        session.flush()
        _note(session, doing, slip, "leave.agreed", details=changed)
        return slip
    slip.decided_by, slip.decided_at = who, doing.now
    session.flush()
    _note(session, doing, slip, "leave.approved", details=changed)
    let_days_know(session, doing.school_id, slip, slip.until_at, doing.zone, doing.now)
    tell_of_leave(session, slip, doing.zone, doing.now)
    return slip


def refuse(
    session: Session, doing: Doing, slip_id: int, reason: str, seen: str | None = None
) -> LeaveSlip:
    """Say no, and why. Raises like `approve`; FieldsError without a reason."""
    kept = _read_reason(reason)
    slip = _lock(session, doing, slip_id, seen)
    refuse_step(slip.state, LeaveState.REFUSED)
    if slip.state is LeaveState.FIRST_APPROVED and not doing.is_school:
        raise AppError(Code.NOT_ALLOWED, "This leave slip waits for the school.")
    slip.state, slip.decision_reason = LeaveState.REFUSED, kept
    slip.decided_by, slip.decided_at = doing.actor.name[:120], doing.now
    session.flush()
    _note(session, doing, slip, "leave.refused", reason=kept)
    tell_of_leave(session, slip, doing.zone, doing.now)
    return slip


def withdraw(
    session: Session, doing: Doing, slip_id: int, reason: str, seen: str | None = None
) -> LeaveSlip:
    """Take a slip back, approved or not, and say why; the days are judged without it.

    Raises like `approve`; FieldsError without a reason.
    """
    kept = _read_reason(reason)
    slip = _lock(session, doing, slip_id, seen)
    refuse_step(slip.state, LeaveState.WITHDRAWN)
    was_approved = slip.state is LeaveState.APPROVED
    slip.state = LeaveState.WITHDRAWN
    _end(session, doing, slip, kept)
    _note(session, doing, slip, "leave.withdrawn", reason=kept)
    if was_approved:
        let_days_know(session, doing.school_id, slip, slip.until_at, doing.zone, doing.now)
    if doing.actor.kind != "guardian":
        tell_of_leave(session, slip, doing.zone, doing.now)
    return slip


def shorten(
    session: Session,
    doing: Doing,
    slip_id: int,
    until_at: datetime,
    reason: str,
    seen: str | None = None,
) -> LeaveSlip:
    """The student came back early: approved leave ends at `until_at`; who and why are kept.

    Raises like `approve`; FieldsError without a reason, and for an end that is none.
    """
    kept = _read_reason(reason)
    slip = _lock(session, doing, slip_id, seen)
    if slip.state is not LeaveState.APPROVED:
        raise AppError(Code.CONFLICT, "Only approved leave can be ended early.")
    if not slip.from_at < until_at < slip.until_at:
        raise FieldsError(
            {"until_on": _("The new end must lie after the begin and before the old end.")}
        )
    before = slip.until_at
    slip.until_at = until_at
    _end(session, doing, slip, kept)
    details = {"until_at": [before, until_at]}
    _note(session, doing, slip, "leave.shortened", reason=kept, details=details)
    let_days_know(session, doing.school_id, slip, before, doing.zone, doing.now)
    tell_of_leave(session, slip, doing.zone, doing.now)
    return slip


def shown_of(slip: LeaveSlip) -> dict[str, object]:
    """What whoever decides has seen of a slip, to compare."""
    return {
        "kind": slip.kind,
        "from_at": slip.from_at,
        "until_at": slip.until_at,
        "lets_out": slip.lets_out,
        "state": slip.state,
    }


def _find_overlap(
    session: Session, school_id: int, student_id: int, wish: Wish
) -> LeaveSlip | None:
    return session.scalar(
        select(LeaveSlip)
        .where(
            LeaveSlip.school_id == school_id,
            LeaveSlip.student_id == student_id,
            LeaveSlip.state.in_(STANDING),
            LeaveSlip.from_at < wish.until_at,
            LeaveSlip.until_at > wish.from_at,
        )
        .order_by(LeaveSlip.from_at)
        .limit(1)
    )


def _lock(session: Session, doing: Doing, slip_id: int, seen: str | None) -> LeaveSlip:
    """A slip that nobody else can decide now, as it was seen."""
    slip = _find(session, doing.school_id, slip_id, is_locked=True)
    if seen is not None and fingerprint(shown_of(slip)) != seen:
        raise AppError(
            Code.CONFLICT,
            "Somebody else has done something with this leave slip since you opened it. "
            "Nothing of yours was saved; look at it again.",
        )
    return slip


def _find(session: Session, school_id: int, slip_id: int, is_locked: bool) -> LeaveSlip:
    wanted = select(LeaveSlip).where(LeaveSlip.school_id == school_id, LeaveSlip.id == slip_id)
    if is_locked:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    slip = session.scalar(wanted)
    if slip is None:
        raise AppError(Code.NOT_FOUND, "There is no such leave slip.")
    return slip


def _end(session: Session, doing: Doing, slip: LeaveSlip, reason: str) -> None:
    slip.ended_by, slip.ended_at = doing.actor.name[:120], doing.now
    slip.decision_reason = reason
    session.flush()


def _read_reason(typed: str) -> str:
    kept = clean(typed)
    if not kept:
        raise FieldsError({"why": _("Write why: the family may ask.")})
    return kept[:MAX_REASON]


def _note(
    session: Session,
    doing: Doing,
    slip: LeaveSlip,
    action: str,
    reason: str = "",
    details: Mapping[str, object] | None = None,
) -> None:
    """The reason of the leave itself stays on the slip, sealed."""
    told = {"slip": slip.id, **(details or {})}
    subject = f"student:{slip.student_id}"
    note(session, doing.school_id, doing.actor, action, subject, reason=reason, details=told)
