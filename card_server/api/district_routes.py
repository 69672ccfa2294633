"""The district: all schools, what each has today, and a new one."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import current_app

from card_server.access import allow_anywhere, reading, writing
from card_server.api import admin_shapes, shapes
from card_server.api.administrators import administrator
from card_server.api.changes import NewSchool
from card_server.reports.district import StudentCounts, read_district
from card_server.reports.listings import list_schools
from card_server.staff.administration import open_school
from schema.tables.staff import Role

routes = APIBlueprint("district", __name__, tag="District")
_COUNTS = "district_counts"


@routes.get("/district")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.output(shapes.District)
def district() -> Any:
    """All schools by name, with what each has today."""
    counts: StudentCounts = current_app.extensions.setdefault(_COUNTS, StudentCounts())
    with reading()() as session:
        return {"items": read_district(session, counts, datetime.now(UTC))}


@routes.get("/schools")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.output(shapes.Schools)
def schools() -> Any:
    """All schools of the district."""
    with reading()() as session:
        return {"items": list_schools(session)}


@routes.post("/schools")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(NewSchool, arg_name="sent")
@routes.output(admin_shapes.OpenedSchool, status_code=201)
def add_school(sent: NewSchool) -> Any:
    """Open a school; the answer has its administrator's one-time password, this once."""
    with writing().begin() as session:
        school, admin = open_school(session, administrator(), **sent.model_dump())
        return {"school": school, "admin": admin}
