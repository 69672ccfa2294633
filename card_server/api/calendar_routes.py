"""The school's calendar, the state's proposals, a homeroom's days, and the rules of attendance."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from apiflask import APIBlueprint
from msgspec import structs

from card_server.access import actor, allow, changing_session, now, school_in_use, school_session
from card_server.api import calendar_shapes as shapes
from card_server.api.bodies import named_in_body
from card_server.api.calendar_inputs import (
    Choices,
    DaysQuery,
    EntryPath,
    NewEntry,
    RulesChange,
    YearQuery,
)
from card_server.api.changes import HomeroomPath
from card_server.api.matching import if_match, match
from card_server.calendar import changing_rules, entries, proposals
from card_server.calendar.hours import write_minute
from card_server.calendar.points import write_points
from card_server.calendar.reading import list_entries, plans_between
from card_server.calendar.rules import Rules, rules_for
from card_server.register.homerooms import find_homeroom
from schema.tables.staff import Role

routes = APIBlueprint("calendar", __name__, tag="Calendar")
ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
READING = (*ADMINS, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER)
_MOST = timedelta(days=399)


@routes.get("/calendar")
@allow(*READING)
@routes.input(DaysQuery, location="query", arg_name="asked")
@routes.output(shapes.Entries)
def calendar(asked: DaysQuery) -> Any:
    """What the school says of its days; of a day without an entry the weekday decides."""
    with school_session() as session:
        last = _last(asked)
        return {"items": list_entries(session, school_in_use().id, asked.first, last)}


@routes.post("/calendar")
@allow(*ADMINS)
@routes.input(NewEntry, arg_name="sent")
@routes.output(shapes.Said, status_code=201)
def say(sent: NewEntry) -> Any:
    """Say what a day is; what was said of the same grades before ends."""
    wanted = entries.read_settings(
        {
            "day": str(sent.day),
            "until": str(sent.until or ""),
            "kind": sent.kind,
            "grades": " ".join(map(str, sent.grades)),
            "weekday": str(sent.weekday or ""),
            "parts": " ".join(sent.parts),
            "timetable_id": str(sent.timetable_id or ""),
            "note": sent.note,
        }
    )
    with named_in_body(), changing_session() as session:
        said = entries.say(session, actor(), school_in_use().id, wanted, now())
        return {"items": said.entries, "stays": said.stays}


@routes.delete("/calendar/<entry_id>")
@allow(*ADMINS)
@routes.input(EntryPath, location="path", arg_name="asked")
@routes.output(shapes.Stays)
def take_back(entry_id: str, asked: EntryPath) -> Any:
    """Take back what was said of a day."""
    with changing_session() as session:
        school_id = school_in_use().id
        return {"stays": entries.take_back(session, actor(), school_id, asked.entry_id, now())}


@routes.get("/calendar/proposals")
@allow(*ADMINS)
@routes.input(YearQuery, location="query", arg_name="asked")
@routes.output(shapes.Proposals)
def state_calendar(asked: YearQuery) -> Any:
    """The State Council's holidays and make-up days of a year, and which are settled."""
    with school_session() as session:
        found = proposals.proposals_for(session, school_in_use().id, asked.year)
        return {
            "is_known": proposals.is_year_known(asked.year),
            "items": [
                {
                    "day": one.state.day,
                    "kind": one.state.kind,
                    "name": one.state.name,
                    "is_settled": one.is_settled,
                }
                for one in found
            ],
        }


@routes.post("/calendar/proposals")
@allow(*ADMINS)
@routes.input(Choices, arg_name="sent")
@routes.output(shapes.Said)
def settle(sent: Choices) -> Any:
    """Accept or decline days of the state's calendar; a make-up day needs its weekday."""
    choices = [proposals.Choice(one.day, one.is_accepted, one.weekday) for one in sent.choices]
    with named_in_body(), changing_session() as session:
        said = proposals.settle(session, actor(), school_in_use().id, choices, now())
        return {"items": said.entries, "stays": said.stays}


@routes.get("/homerooms/<homeroom_id>/days")
@allow(*READING)
@routes.input(HomeroomPath, location="path", arg_name="path")
@routes.input(DaysQuery, location="query", arg_name="asked")
@routes.output(shapes.Days)
def days(homeroom_id: str, path: HomeroomPath, asked: DaysQuery) -> Any:
    """What each day is for a homeroom: lessons, exams or closed, and its sessions."""
    school_id = school_in_use().id
    with school_session() as session:
        room = find_homeroom(session, school_id, path.homeroom_id).id
        plans = plans_between(session, school_id, asked.first, _last(asked), [room])
    return {
        "items": [
            {
                "day": day,
                "kind": of_rooms[room].kind,
                "note": of_rooms[room].note,
                "is_unsure": of_rooms[room].is_unsure,
                "sessions": [
                    structs.asdict(one) | {"for_boarders": not one.is_for_day_students}
                    for one in of_rooms[room].sessions
                ],
            }
            for day, of_rooms in plans.items()
        ]
    }


@routes.get("/attendance-rules")
@allow(*ADMINS)
@routes.output(shapes.Rules)
def rules() -> Any:
    """What the school has settled for its attendance."""
    with school_session() as session:
        return _show_rules(rules_for(session, school_in_use().id))


@routes.patch("/attendance-rules")
@allow(*ADMINS)
@if_match
@routes.input(RulesChange, arg_name="sent")
@routes.output(shapes.Rules)
def change_rules(sent: RulesChange) -> Any:
    """Change what the school has settled."""
    school_id = school_in_use().id
    with changing_session() as session:
        entries.lock(session, school_id)
        found = rules_for(session, school_id)
        match(shapes.Rules, _show_rules(found))
        wanted = changing_rules.read_rules(_typed(found, sent))
        changing_rules.change_rules(session, actor(), school_id, wanted, now())
        return _show_rules(wanted)


def _last(asked: DaysQuery) -> date:
    return min(asked.last, asked.first + _MOST)


def _show_rules(found: Rules) -> dict[str, Any]:
    """Rules as people write them."""
    stored = asdict(found)
    clocks = {one: write_minute(stored[one]) for one in ("closes", "boarders_by")}
    ways = ("late", "early", "absent")
    return (
        stored | clocks | {f"{one}_points": write_points(stored[f"{one}_tenths"]) for one in ways}
    )


def _typed(found: Rules, sent: RulesChange) -> dict[str, str]:
    """What is stored with what was sent in its place, as a form would give it to the rules."""
    both = _show_rules(found) | sent.model_dump(exclude_none=True)
    return {name: "" if value is False else str(value) for name, value in both.items()}
