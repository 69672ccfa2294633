"""The switch that stops every message: a school's own, and the district's over all of them."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import Actor
from card_server.errors import AppError
from card_server.field_errors import FieldsError
from card_server.messages import switch
from card_server.messages.rules import rules_of
from schema.tables.audit import AuditEntry
from schema.tables.messages import MessageRules
from tests.card_server.web.small_school import SmallSchool, make_school

ACTOR = Actor("staff", 1, "王老师", "")


def is_stopped(sessions: sessionmaker[Session], school_id: int) -> bool:
    """As the notifier asks it."""
    with sessions() as session:
        return rules_of(session, school_id).stopped_at is not None


def turn(sessions: sessionmaker[Session], change: Callable[..., object], *school: int) -> object:
    with sessions.begin() as session:
        return change(session, ACTOR, *school, "费用异常")


def test_a_school_stops_and_goes_on_and_the_log_has_both(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    assert turn(sessions, switch.stop_sending, school.id)
    assert not turn(sessions, switch.stop_sending, school.id)
    assert is_stopped(sessions, school.id)
    with sessions() as session:
        assert session.scalars(select(MessageRules.stopped_by)).one() == "王老师"
    assert turn(sessions, switch.resume_sending, school.id)
    assert not turn(sessions, switch.resume_sending, school.id)
    assert not is_stopped(sessions, school.id)
    with sessions() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)).all()
    assert actions == ["sending.stopped", "sending.resumed"]


def test_without_a_reason_nothing_is_switched(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    for change in (switch.stop_sending, switch.resume_sending):
        with sessions.begin() as session, pytest.raises(FieldsError):
            change(session, ACTOR, school.id, " ")
    for everywhere in (switch.stop_everywhere, switch.resume_everywhere):
        with sessions.begin() as session, pytest.raises(FieldsError):
            everywhere(session, ACTOR, "")
    assert not is_stopped(sessions, school.id)


def test_the_district_stops_all_and_no_school_goes_on_before_it(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2").id
    assert turn(sessions, switch.stop_everywhere) == 2
    assert turn(sessions, switch.stop_everywhere) == 0
    assert is_stopped(sessions, school.id)
    assert is_stopped(sessions, other)
    with sessions.begin() as session, pytest.raises(AppError, match="The district has stopped"):
        switch.resume_sending(session, ACTOR, other, "要发")
    assert is_stopped(sessions, other)
    with sessions() as session:
        assert {one.is_by_district for one in switch.list_switches(session)} == {True}
    assert turn(sessions, switch.resume_everywhere) == 2
    assert turn(sessions, switch.resume_everywhere) == 0
    assert not is_stopped(sessions, school.id)
    assert not is_stopped(sessions, other)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_school_that_stopped_for_itself_stays_stopped_when_the_district_lets_all_go_on(
    sessions: sessionmaker[Session], school: SmallSchool, is_first: bool
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2").id
    if is_first:
        turn(sessions, switch.stop_sending, school.id)
    turn(sessions, switch.stop_everywhere)
    if not is_first:
        assert turn(sessions, switch.stop_sending, school.id)
    turn(sessions, switch.resume_everywhere)
    assert is_stopped(sessions, school.id)
    assert not is_stopped(sessions, other)
    turn(sessions, switch.resume_sending, school.id)
    assert not is_stopped(sessions, school.id)
