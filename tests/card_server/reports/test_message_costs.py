"""What messages cost, told apart by day, by homeroom and by kind."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from card_server.reports.message_costs import Cost, CostBy, read_costs, total_of
from schema.tables.message_costs import MessageCostDay
from schema.tables.messages import MessageKind
from tests.card_server.web.small_school import SmallSchool, make_school

FIRST, LAST = DAYS = (date(2026, 9, 1), date(2026, 9, 3))
A_DAY = timedelta(days=1)


@pytest.fixture
def school(engine: Engine) -> SmallSchool:
    with Session(engine) as session, session.begin():
        return make_school(session)


def add(
    engine: Engine,
    school: SmallSchool,
    day: date = FIRST,
    messages: int = 1,
    *,
    homeroom: int = 0,
    kind: MessageKind = MessageKind.ARRIVAL,
    segments: int = 1,
) -> None:
    """The sums of so many messages of so many segments."""
    with Session(engine) as session, session.begin():
        session.add(
            MessageCostDay(
                school_id=school.id,
                day=day,
                homeroom_id=school.homerooms[homeroom],
                kind=kind,
                messages=messages,
                segments=messages * segments,
                price=messages * segments * 45,
            )
        )


def read(engine: Engine, school: SmallSchool, by: CostBy) -> list[Cost]:
    with Session(engine) as session:
        return read_costs(session, school.id, DAYS, by)


def test_days_are_told_apart_and_others_left_out(engine: Engine, school: SmallSchool) -> None:
    for day in (FIRST - A_DAY, FIRST, LAST, LAST + A_DAY):
        add(engine, school, day, 2 + (day == LAST))
    add(engine, school, LAST, homeroom=1, segments=2)
    found = read(engine, school, CostBy.DAY)
    assert found == [Cost(2, 2, 90, day=FIRST), Cost(4, 5, 225, day=LAST)]
    assert total_of(found) == Cost(6, 7, 315)


def test_homerooms_and_kinds_are_told_apart(engine: Engine, school: SmallSchool) -> None:
    add(engine, school, kind=MessageKind.NOTICE, segments=3)
    add(engine, school)
    add(engine, school, LAST, homeroom=1)
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
def test_what_came_back_to_nothing_is_left_out(
    engine: Engine, school: SmallSchool, by: CostBy
) -> None:
    add(engine, school, messages=0)
    assert read(engine, school, by) == []


@pytest.mark.parametrize("by", CostBy)
def test_days_in_the_wrong_order_cost_nothing(
    engine: Engine, school: SmallSchool, by: CostBy
) -> None:
    add(engine, school)
    with Session(engine) as session:
        assert read_costs(session, school.id, (LAST, FIRST), by) == []


@pytest.mark.parametrize("by", CostBy)
def test_sums_are_whole_numbers_however_large(
    engine: Engine, school: SmallSchool, by: CostBy
) -> None:
    for day in (FIRST, LAST):
        add(engine, school, day, messages=2**31 - 1)
    total = total_of(read(engine, school, by))
    assert type(total.price) is int
    assert total == Cost(2**32 - 2, 2**32 - 2, 45 * (2**32 - 2))
