"""Limits and switch of a school's messages, the wordings of consent, and the district's switch."""

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from card_server.access import (
    actor,
    allow,
    allow_anywhere,
    changing_session,
    reading,
    school_in_use,
    school_session,
    writing,
)
from card_server.api import message_rules_shapes as shapes
from card_server.api.matching import if_match, match
from card_server.api.message_rules_inputs import MessageRulesChange, NewWording, SwitchReason
from card_server.messages import consent_wordings, switch
from card_server.messages.rules import (
    limits_of,
    lock_rules,
    read_limits,
    rules_of,
    save_rules,
    write_limits,
)
from schema.tables.staff import Role

routes = APIBlueprint("message_rules", __name__, tag="Messages")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)


@routes.get("/message-rules")
@allow(*_ADMINS)
@routes.output(shapes.MessageRules)
def rules() -> Any:
    """The school's limits, price and quiet hours, and whether anything is sent at all."""
    with school_session() as session:
        return _show(session)


@routes.patch("/message-rules")
@allow(*_ADMINS)
@if_match
@routes.input(MessageRulesChange, arg_name="sent")
@routes.output(shapes.MessageRules)
def change_rules(sent: MessageRulesChange) -> Any:
    """Change the limits, the price or the quiet hours."""
    school_id = school_in_use().id
    with changing_session() as session:
        found = lock_rules(session, school_id)
        match(shapes.MessageRules, _show(session))
        changed = {name: str(value) for name, value in sent.model_dump(exclude_none=True).items()}
        save_rules(
            session, actor(), school_id, read_limits(write_limits(limits_of(found)) | changed)
        )
        return _show(session)


@routes.post("/message-rules/stop")
@allow(*_ADMINS)
@routes.input(SwitchReason, arg_name="sent")
@routes.output(shapes.MessageRules)
def stop(sent: SwitchReason) -> Any:
    """Send nothing of the school any more."""
    with changing_session() as session:
        switch.stop_sending(session, actor(), school_in_use().id, sent.reason)
        return _show(session)


@routes.post("/message-rules/resume")
@allow(*_ADMINS)
@routes.input(SwitchReason, arg_name="sent")
@routes.output(shapes.MessageRules)
def resume(sent: SwitchReason) -> Any:
    """Send again, unless the district has stopped all schools."""
    with changing_session() as session:
        switch.resume_sending(session, actor(), school_in_use().id, sent.reason)
        return _show(session)


@routes.get("/consent-wordings")
@allow(*_ADMINS)
@routes.output(shapes.ConsentWordings)
def wordings() -> Any:
    """The wordings to which guardians consent, the newest first."""
    with school_session() as session:
        return {"items": consent_wordings.list_wordings(session, school_in_use().id)}


@routes.post("/consent-wordings")
@allow(*_ADMINS)
@routes.input(NewWording, arg_name="sent")
@routes.output(shapes.ConsentWording, status_code=201)
def add_wording(sent: NewWording) -> Any:
    """Let a new wording count from now on."""
    body = consent_wordings.read_wording(sent.body)
    with changing_session() as session:
        return consent_wordings.add_wording(
            session, actor(), school_in_use().id, sent.language, body
        )


@routes.get("/district/messages")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.output(shapes.SchoolSwitches)
def switches() -> Any:
    """Which schools' messages are stopped."""
    with reading()() as session:
        return {"items": switch.list_switches(session)}


@routes.post("/district/messages/stop")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(SwitchReason, arg_name="sent")
@routes.output(shapes.SchoolSwitches)
def stop_everywhere(sent: SwitchReason) -> Any:
    """Send nothing of any school any more."""
    with writing().begin() as session:
        switch.stop_everywhere(session, actor(), sent.reason)
        return {"items": switch.list_switches(session)}


@routes.post("/district/messages/resume")
@allow_anywhere(Role.DISTRICT_ADMIN)
@routes.input(SwitchReason, arg_name="sent")
@routes.output(shapes.SchoolSwitches)
def resume_everywhere(sent: SwitchReason) -> Any:
    """Let the schools go on that have not stopped for themselves."""
    with writing().begin() as session:
        switch.resume_everywhere(session, actor(), sent.reason)
        return {"items": switch.list_switches(session)}


def _show(session: Session) -> dict[str, Any]:
    found = rules_of(session, school_in_use().id)
    return write_limits(limits_of(found)) | {
        "stopped_at": found.stopped_at,
        "stopped_by": found.stopped_by,
        "is_stopped_by_district": found.district_stopped_at is not None,
    }
