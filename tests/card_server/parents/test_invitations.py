"""Whom an invitation of many reaches, how many at once, and what it costs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.messages.segments import size_of
from card_server.parents import invitations
from card_server.parents.invitations import Invitation, Web
from schema.tables.audit import AuditEntry
from schema.tables.messages import Message, PhoneStanding, StopBy
from schema.tables.people import Guardian, Guardianship, Language, Student, StudentStatus
from tests.card_server.web.parent_phone import ADDRESS, SECRET
from tests.card_server.web.small_school import SmallSchool, make_school

NOW = datetime(2026, 9, 7, 2, tzinfo=UTC)
WEB = Web(SECRET, ADDRESS)


@pytest.fixture(autouse=True)
def unverified(sessions: sessionmaker[Session], school: SmallSchool) -> None:
    """Nobody has opened a link yet."""
    with sessions.begin() as session:
        session.execute(update(Guardian).values(verified_at=None))


def _plan(sessions: sessionmaker[Session], school: SmallSchool, now: datetime = NOW) -> Invitation:
    with sessions() as session:
        return invitations.plan_invitations(session, school.id, None, WEB, now)


def _invite(sessions: sessionmaker[Session], school: SmallSchool, now: datetime = NOW) -> int:
    with sessions.begin() as session:
        return invitations.invite_many(session, SYSTEM, school.id, None, WEB, now)


def test_who_cannot_be_reached_or_need_not_be_is_left_out(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        make_school(session, "no2")
        people = [session.get_one(Guardian, one) for one in school.guardians]
        people[0].verified_at = NOW
        people[1].phone_tail = ""
        for guardian, stopped in ((people[2], True), (people[3], False)):
            session.add(
                PhoneStanding(
                    school_id=school.id,
                    phone_hash=guardian.phone_hash,
                    stopped_at=NOW if stopped else None,
                    stopped_by=StopBy.REPLY if stopped else None,
                    bad_at=None if stopped else NOW,
                )
            )
        session.get_one(Student, school.students[4]).status = StudentStatus.GRADUATED
        session.get_one(Guardianship, (school.students[5], school.guardians[5])).is_told = False
    found = _plan(sessions, school)
    assert [one.guardian_id for one in found.invitees] == school.guardians[6:]
    assert found.waiting == 2


def test_nobody_is_invited_twice_within_three_days(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    assert _invite(sessions, school) == len(school.guardians)
    assert _invite(sessions, school, NOW + timedelta(days=2)) == 0
    assert _invite(sessions, school, NOW + timedelta(days=3)) == len(school.guardians)


def test_a_button_sends_no_more_than_it_says(
    sessions: sessionmaker[Session], school: SmallSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MOST_AT_ONCE", 3)
    found = _plan(sessions, school)
    assert (len(found.invitees), found.waiting) == (3, 8)
    assert [_invite(sessions, school) for _ in range(4)] == [3, 3, 2, 0]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 8
        noted = select(func.count()).where(AuditEntry.action == "parent.links_sent")
        assert session.scalar(noted) == 4


def test_the_plan_counts_the_segments_of_what_is_sent(
    sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        session.get_one(Guardian, school.guardians[0]).language = Language.ENGLISH
    found = _plan(sessions, school)
    _invite(sessions, school)
    with sessions() as session:
        bodies = session.scalars(select(Message.body)).all()
    assert found.segments == sum(size_of(body).segments for body in bodies)
    assert found.price == found.segments * 45
    assert found.currency == "CNY"
