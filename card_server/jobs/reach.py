"""For whom a job works: its school, and what its maker may do there today."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.jobs.queue import Claim
from card_server.school_time import DISTRICT_ZONE
from card_server.staff.scope import Grant
from card_server.staff.sessions import SchoolInUse, describe_school
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

    Raises AppError(NOT_ALLOWED) when that is nothing any more.
    """
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
    grants = tuple(
        Grant(one.role, one.scope, one.grade, one.homeroom_id, one.place) for one in found
    )
    if not grants:
        raise AppError(Code.NOT_ALLOWED, _("Whoever asked for this may not do it any more."))
    return grants


def actor_of(held: Claim) -> Actor:
    """Whom the audit log names for what a job does."""
    return Actor("staff", held.made_by, held.made_by_name, "")
