"""The guardians of a plan, their numbers and whose they are, written in bulk."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import delete, insert, tuple_, update
from sqlalchemy.orm import Session

from card_server.imports.roster.plan import GuardianPlan, Plan
from card_server.storage.sealing import Seal
from schema.messages import utc_now
from schema.tables.people import Guardian, GuardianPhone, Guardianship, Language

_AT_ONCE = 500


def write_guardians(
    session: Session, school_id: int, seal: Seal, plan: Plan, students: Mapping[str, int]
) -> None:
    """All that the plan says of guardians; `students` has ids by the roster's numbers.

    What a guardian wants to be told is only ever set where a tie begins.
    """
    ids = _add(session, school_id, seal, plan)
    _change(session, seal, plan)
    _add_numbers(session, school_id, seal, plan, ids)
    _tie(session, plan, students, ids)
    _unlink(session, plan)


def _add(session: Session, school_id: int, seal: Seal, plan: Plan) -> dict[str, int]:
    """The ids of the new guardians and of those that are written, by key."""
    new = [one for one in plan.guardians if one.id is None]
    rows = [
        {
            "school_id": school_id,
            "name": one.name,
            "language": Language.CHINESE,
            "sourced_id": one.sourced_id,
            **_number(one.phone or "", seal),
        }
        for one in new
    ]
    ids = {one.key: one.id for one in plan.guardians if one.id is not None}
    for at in range(0, len(rows), _AT_ONCE):
        # In the order of the rows: nothing else tells two of the same name apart.
        added = insert(Guardian).returning(Guardian.id, sort_by_parameter_order=True)
        found = session.scalars(added, rows[at : at + _AT_ONCE])
        ids |= {one.key: id_ for one, id_ in zip(new[at : at + _AT_ONCE], found, strict=True)}
    return ids


def _change(session: Session, seal: Seal, plan: Plan) -> None:
    rows = [_changed_row(one, seal) for one in plan.guardians if one.id is not None]
    rows.sort(key=lambda row: (sorted(row), row["id"]))
    for _, alike in groupby(rows, key=sorted):
        session.execute(update(Guardian), list(alike))


def _changed_row(one: GuardianPlan, seal: Seal) -> dict[str, Any]:
    row = {"id": one.id, "name": one.name, "sourced_id": one.sourced_id}
    if one.phone is None:
        return row
    return row | _number(one.phone, seal) | _of_unknown_owner()


def _of_unknown_owner() -> dict[str, Any]:
    """What is known of a number that takes another one's place: since when it does, and no more."""
    return {"phone_since": utc_now(), "verified_at": None, "verified_by": ""}


def _add_numbers(
    session: Session, school_id: int, seal: Seal, plan: Plan, ids: Mapping[str, int]
) -> None:
    rows = [
        {"school_id": school_id, "guardian_id": ids[one.key], **_number(phone, seal)}
        for one in plan.guardians
        for phone in one.further
    ]
    for at in range(0, len(rows), _AT_ONCE):
        session.execute(insert(GuardianPhone), rows[at : at + _AT_ONCE])


def _tie(session: Session, plan: Plan, students: Mapping[str, int], ids: Mapping[str, int]) -> None:
    new = [
        {
            "student_id": students[tie.number],
            "guardian_id": tie.guardian_id or ids[tie.guardian],
            "relation": tie.relation,
            "is_told": tie.is_told,
            "priority": tie.priority,
        }
        for tie in plan.ties
        if tie.is_new
    ]
    for at in range(0, len(new), _AT_ONCE):
        session.execute(insert(Guardianship), new[at : at + _AT_ONCE])
    changed = [
        {
            "student_id": students[tie.number],
            "guardian_id": tie.guardian_id or ids[tie.guardian],
            "relation": tie.relation,
        }
        for tie in plan.ties
        if not tie.is_new
    ]
    if changed:
        session.execute(update(Guardianship), changed)


def _unlink(session: Session, plan: Plan) -> None:
    pairs = [(one.student_id, one.guardian_id) for one in plan.unlinkings]
    key = tuple_(Guardianship.student_id, Guardianship.guardian_id)
    for at in range(0, len(pairs), _AT_ONCE):
        part = pairs[at : at + _AT_ONCE]
        session.execute(
            delete(Guardianship).where(key.in_(part)),
            execution_options={"synchronize_session": False},
        )


def _number(number: str, seal: Seal) -> dict[str, Any]:
    return {
        "phone_sealed": seal.close(number),
        "phone_hash": seal.hash(number),
        "phone_tail": number[-4:],
    }
