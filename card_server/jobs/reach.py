"""For whom a job works: its school, and what its maker, or the token, may do there today."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.jobs.queue import TOKEN, Claim
from card_server.school_time import DISTRICT_ZONE
from card_server.staff.scope import Grant
from card_server.staff.sessions import SchoolInUse, describe_school
from card_server.staff.tokens import find_token_grant
from schema.messages import utc_now
from schema.tables.audit import DISTRICT
from schema.tables.school import School
from schema.tables.staff import Staff, StaffGrant

OF_DISTRICT = SchoolInUse(
    id=DISTRICT,
    name="",
    signature="",
    zone=DISTRICT_ZONE,
    late_after="",
    cards_version=0,
)
"""A school that has nothing: for what belongs to the district alone."""


def find_school(session: Session, held: Claim) -> SchoolInUse:
    """The school of a job."""
    if held.school_id == DISTRICT:
        return OF_DISTRICT
    return describe_school(session.get_one(School, held.school_id))


def find_grants(session: Session, held: Claim) -> tuple[Grant, ...]:
    """What the job's maker may do now, of the roles by which they asked for it.

    Of a job that a program asked for, what its token may do, and nothing once the token is over.
    Raises AppError(NOT_ALLOWED) when that is nothing any more.
    """
    grants = _grants_of_token(session, held) if _token_of(held) else _grants_of_staff(session, held)
    if not grants:
        raise AppError(Code.NOT_ALLOWED, _("Whoever asked for this may not do it any more."))
    return grants


def _grants_of_token(session: Session, held: Claim) -> tuple[Grant, ...]:
    grant = find_token_grant(session, held.school_id, _token_of(held) or 0, utc_now())
    return (grant,) if grant is not None and grant.role in held.roles else ()


def _grants_of_staff(session: Session, held: Claim) -> tuple[Grant, ...]:
    found = session.scalars(
        select(StaffGrant)
        .join(Staff, Staff.id == StaffGrant.staff_id)
        .where(
            Staff.id == held.made_by,
            Staff.disabled_at.is_(None),
            StaffGrant.role.in_(held.roles),
            or_(StaffGrant.school_id.is_(None), StaffGrant.school_id == held.school_id),
        )
        .order_by(StaffGrant.id)
    )
    return tuple(Grant(one.role, one.scope, one.grade, one.homeroom_id, one.place) for one in found)


def actor_of(held: Claim) -> Actor:
    """Whom the audit log names for what a job does."""
    token_id = _token_of(held)
    if token_id is not None:
        return Actor("token", token_id, held.made_by_name, "")
    return Actor("staff", held.made_by, held.made_by_name, "")


def _token_of(held: Claim) -> int | None:
    found = held.parameters.get(TOKEN)
    return found if isinstance(found, int) else None
