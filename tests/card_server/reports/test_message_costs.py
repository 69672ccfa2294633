"""What messages cost, told apart by the school's own days, by homeroom and by kind."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from card_server.reports.message_costs import Cost, CostBy, read_costs, total_of
from card_server.storage.database import open_engine
from schema.tables.messages import Message, MessageKind, MessageState
from tests.card_server.web.small_school import SmallSchool, make_school

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = (date(2026, 9, 1), date(2026, 9, 3))
LATE = datetime(2026, 9, 1, 15, 59, tzinfo=UTC)
"""A minute before midnight in the school."""


@pytest.fixture
def engine(database_url: str) -> Engine:
    return open_engine(database_url)


@pytest.fixture
def school(engine: Engine) -> SmallSchool:
    with Session(engine) as session, session.begin():
        return make_school(session)


def add(
    engine: Engine,
    school: SmallSchool,
    tried_at: datetime | None,
    *,
    student: int = 0,
    kind: MessageKind = MessageKind.ARRIVAL,
    state: MessageState = MessageState.DELIVERED,
    segments: int = 1,
) -> None:
    now = tried_at or LATE
    with Session(engine) as session, session.begin():
        session.add(
            Message(
                school_id=school.id,
                id=uuid7(),
                kind=kind,
                student_id=school.students[student],
                guardian_id=school.guardians[student],
                body="text",
                state=state,
                segments=segments,
                price=segments * 45,
                created_at=now,
                due_at=now,
                expires_at=now,
                tried_at=tried_at,
                changed_at=now,
            )
        )


def read(engine: Engine, school: SmallSchool, by: CostBy) -> list[Cost]:
    with Session(engine) as session:
        return read_costs(session, school.id, ZONE, DAYS, by)


def test_a_day_is_the_schools_own(engine: Engine, school: SmallSchool) -> None:
    add(engine, school, LATE)
    add(engine, school, LATE + timedelta(minutes=1), segments=2)
    add(engine, school, LATE - timedelta(days=1))
    add(engine, school, LATE + timedelta(days=2, minutes=1))
    found = read(engine, school, CostBy.DAY)
    assert found == [Cost(1, 1, 45, day=DAYS[0]), Cost(1, 2, 90, day=date(2026, 9, 2))]
    assert total_of(found) == Cost(2, 3, 135)


@pytest.mark.parametrize("state", MessageState)
def test_what_no_carrier_took_costs_nothing(
    engine: Engine, school: SmallSchool, state: MessageState
) -> None:
    add(engine, school, LATE, state=state)
    add(engine, school, None, state=MessageState.QUEUED)
    is_paid = state in {
        MessageState.ACCEPTED,
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.UNKNOWN,
    }
    for by in CostBy:
        assert total_of(read(engine, school, by)).messages == int(is_paid)


def test_homerooms_and_kinds_are_told_apart(engine: Engine, school: SmallSchool) -> None:
    add(engine, school, LATE, student=0)
    add(engine, school, LATE, student=2, kind=MessageKind.NOTICE, segments=3)
    add(engine, school, LATE, student=1)
    rooms = read(engine, school, CostBy.HOMEROOM)
    assert [(one.homeroom_id, one.messages, one.segments) for one in rooms] == [
        (school.homerooms[0], 2, 4),
        (school.homerooms[1], 1, 1),
    ]
    kinds = read(engine, school, CostBy.KIND)
    assert [(one.kind, one.price) for one in kinds] == [
        (MessageKind.NOTICE, 135),
        (MessageKind.ARRIVAL, 90),
    ]


@pytest.mark.parametrize("by", CostBy)
def test_days_in_the_wrong_order_cost_nothing(
    engine: Engine, school: SmallSchool, by: CostBy
) -> None:
    add(engine, school, LATE)
    with Session(engine) as session:
        assert read_costs(session, school.id, ZONE, (DAYS[1], DAYS[0]), by) == []
