"""Promotion to the next school year (升级): planned, corrected, and done as it was seen."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from flask_babel import gettext

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import promotion_shapes as shapes
from card_server.api.people_routes import ADMINS
from card_server.people.promotion import promote, read_facts
from card_server.people.promotion_plan import Choice, PromotionPlan, Step, make_plan
from card_server.school_time import day_of

routes = APIBlueprint("promotion", __name__, tag="School", url_prefix="/promotion")
_FIELD = "name-"


@routes.post("/preview")
@allow(*ADMINS)
@routes.input(shapes.PromotionChoices, arg_name="sent")
@routes.output(shapes.PromotionPlan)
def preview(sent: shapes.PromotionChoices) -> Any:
    """All that would happen with these choices, and what speaks against it."""
    school = school_in_use()
    today = day_of(datetime.now(UTC), school.zone)
    with school_session() as session:
        facts = read_facts(session, school.id, today)
    return _show(make_plan(facts, _choices(sent.choices), today))


@routes.post("")
@allow(*ADMINS)
@routes.input(shapes.Promotion, arg_name="sent")
@routes.output(shapes.Promoted)
def run(sent: shapes.Promotion) -> Any:
    """Promote the whole school as the preview said: nothing undoes it."""
    school, now = school_in_use(), datetime.now(UTC)
    choices = _choices(sent.choices)
    with changing_session() as session:
        return promote(session, actor(), school.id, choices, sent.seen, now, school.zone)


def _choices(sent: Iterable[shapes.RoomChoice]) -> dict[int, Choice]:
    return {one.homeroom_id: Choice(one.graduates, one.new_name or "") for one in sent}


def _show(plan: PromotionPlan) -> dict[str, Any]:
    facts = plan.facts
    return {
        "seen": plan.seen,
        "from_year": facts.from_year,
        "to_year": facts.to_year,
        "earliest": facts.earliest,
        "promoted": plan.promoted,
        "graduated": plan.graduated,
        "steps": [_show_step(one) for one in plan.steps],
        "left_behind": facts.left_behind,
        "problems": [
            {"homeroom_id": _room_of(field), "message": gettext(said)}
            for field, said in plan.problems.items()
        ],
    }


def _show_step(step: Step) -> dict[str, Any]:
    return {
        "homeroom_id": step.room.id,
        "name": step.room.name,
        "grade": step.room.grade,
        "students": len(step.room.students),
        "teachers": list(step.room.teachers),
        "graduates": step.choice.graduates,
        "new_name": step.choice.new_name,
        "new_grade": step.new_grade,
        "joins": step.joins,
    }


def _room_of(field: str) -> int | None:
    """The homeroom that a problem is about."""
    return int(field.removeprefix(_FIELD)) if field.startswith(_FIELD) else None
