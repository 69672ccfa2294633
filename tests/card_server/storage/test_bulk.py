"""Many rows in one statement: every type of column there and back, on both databases."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID

import pytest
from msgspec import Struct
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from card_server.storage.bulk import Write, fetch, insert_missing, write_all
from schema.tables.attendance import Attendance, Presence
from schema.tables.messages import Message, MessageKind, MessageState, Suppression

NOON = datetime(2026, 9, 3, 4, 0, 0, 123456, tzinfo=UTC)


class Row(Struct):
    """A row of `message`: every type of column that grows with taps."""

    school_id: int
    id: UUID
    kind: MessageKind
    tap_id: UUID | None
    student_id: int
    guardian_id: int
    body: str
    state: MessageState
    suppression: Suppression | None
    attempts: int
    created_at: datetime
    due_at: datetime
    expires_at: datetime
    lease_until: datetime | None
    changed_at: datetime


class RowKey(Struct, frozen=True):
    """Which message."""

    school_id: int
    id: UUID


class DayRow(Struct):
    """A row of `attendance`."""

    school_id: int
    day: date
    student_id: int
    homeroom_id: int
    arrived_at: datetime | None
    departed_at: datetime | None
    late_minutes: int


class DayKey(Struct, frozen=True):
    """Which day."""

    school_id: int
    day: date
    student_id: int


class PresenceRow(Struct):
    """A row of `presence`."""

    school_id: int
    student_id: int
    homeroom_id: int
    is_inside: bool
    since_at: datetime
    reader_id: int


class PresenceKey(Struct, frozen=True):
    """Which student."""

    school_id: int
    student_id: int


def row(number: int, body: str = "学一", suppression: Suppression | None = None) -> Row:
    return Row(
        1,
        UUID(int=number),
        MessageKind.ARRIVAL,
        UUID(int=2**127) if suppression else None,
        5,
        6,
        body,
        MessageState.QUEUED,
        suppression,
        0,
        NOON,
        NOON,
        NOON,
        None if suppression else NOON,
        NOON,
    )


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


@pytest.mark.parametrize(
    "body",
    ["学一", "𠮷野家", 'it\'s "quoted" \\ :given %s %(x)s', "'; DROP TABLE tap; --", "", "a\nb\tc"],
)
def test_rows_come_back_as_they_went_in(session: Session, body: str) -> None:
    rows = [row(1, body), row(2, body, Suppression.STALE)]
    write_all(session, [Write(Message, rows)])
    keys = [RowKey(1, UUID(int=1)), RowKey(1, UUID(int=2)), RowKey(2, UUID(int=1))]
    found = fetch(session, Message, keys, Row)
    assert sorted(found, key=lambda one: one.id.int) == rows


def test_the_orm_reads_what_bulk_wrote(session: Session) -> None:
    write_all(session, [Write(Message, [row(1, suppression=Suppression.STALE)])])
    [message] = session.scalars(select(Message))
    assert (message.id, message.suppression) == (UUID(int=1), Suppression.STALE)
    assert message.created_at == NOON
    assert message.created_at.tzinfo is not None


def test_times_of_other_zones_are_the_same_moment(session: Session) -> None:
    local = NOON.astimezone(timezone(timedelta(hours=8)))
    write_all(session, [Write(Presence, [PresenceRow(1, 1, 1, True, local, 1)])])
    [found] = fetch(session, Presence, [PresenceKey(1, 1)], PresenceRow)
    assert found.since_at == NOON
    assert found.is_inside is True


def test_missing_rows_are_inserted_beside_those_that_are_there(session: Session) -> None:
    insert_missing(session, Message, [row(1, "old")])
    insert_missing(session, Message, [row(1, "new"), row(2), row(2)])
    assert session.scalar(select(func.count()).select_from(Message)) == 2
    assert [one.body for one in fetch(session, Message, [RowKey(1, UUID(int=1))], Row)] == ["old"]


def test_nothing_to_do_asks_the_database_nothing(session: Session) -> None:
    insert_missing(session, Message, [])
    assert fetch(session, Message, [], Row) == []
    write_all(session, [Write(Message, []), Write(Attendance, [], "late_minutes = 0")])
    assert not session.in_transaction()


def test_an_upsert_inserts_or_changes_by_dates_as_keys(session: Session) -> None:
    first, second = date(2026, 9, 3), date(2026, 12, 31)
    adding = "late_minutes = attendance.late_minutes + excluded.late_minutes"
    write_all(session, [Write(Attendance, [DayRow(1, first, 1, 7, None, NOON, 3)], adding)])
    days = [DayRow(1, first, 1, 8, NOON, None, 4), DayRow(1, second, 1, 8, None, None, 0)]
    write_all(session, [Write(Attendance, days, adding)])
    found = fetch(session, Attendance, [DayKey(1, first, 1), DayKey(1, second, 1)], DayRow)
    assert sorted(found, key=lambda one: one.day) == [
        DayRow(1, first, 1, 7, None, NOON, 7),
        DayRow(1, second, 1, 8, None, None, 0),
    ]


def test_thousands_of_rows_are_one_call(session: Session) -> None:
    rows = [PresenceRow(1, number, 1, False, NOON, 1) for number in range(5_000)]
    write_all(session, [Write(Presence, rows)])
    keys = [PresenceKey(1, number) for number in range(4_000, 6_000)]
    assert len(fetch(session, Presence, keys, PresenceRow)) == 1_000


@pytest.mark.parametrize("others", [0, 150], ids=["few", "many"])
def test_a_new_row_that_is_not_new_undoes_the_whole_write(session: Session, others: int) -> None:
    write_all(session, [Write(Message, [row(1, "old")])])
    session.commit()
    new = [row(number) for number in range(2, 2 + others)]
    presence = Write(Presence, [PresenceRow(1, 1, 1, True, NOON, 1)], "is_inside = true")
    with pytest.raises(IntegrityError):
        write_all(session, [presence, Write(Message, [*new, row(1, "new")])])
    session.rollback()
    assert [one.body for one in session.scalars(select(Message))] == ["old"]
    assert session.scalars(select(Presence)).all() == []


@pytest.mark.parametrize(
    "body", ["学一", "null", '"', "],[", "]\n[", "\\", "\\.", "a\nb\tc\x01", "", ",", "𠮷"]
)
def test_many_rows_come_back_as_they_went_in(session: Session, body: str) -> None:
    rows = [row(number, body, Suppression.STALE if number % 2 else None) for number in range(150)]
    days = [DayRow(1, date(2026, 9, 3), number, 7, NOON, None, 0) for number in range(150)]
    write_all(session, [Write(Message, rows), Write(Attendance, days, "late_minutes = 1")])
    found = fetch(session, Message, [RowKey(1, one.id) for one in rows], Row)
    assert sorted(found, key=lambda one: one.id.int) == rows
    assert session.scalar(select(func.count()).select_from(Attendance)) == 150


def test_locked_rows_make_a_second_transaction_wait(engine: Engine) -> None:
    with Session(engine) as session:
        write_all(session, [Write(Presence, [PresenceRow(1, 1, 1, False, NOON, 1)])])
        session.commit()
    order: list[str] = []
    is_asking = threading.Event()

    def move_out() -> None:
        with Session(engine) as other:
            is_asking.set()
            [found] = fetch(other, Presence, [PresenceKey(1, 1)], PresenceRow, lock=True)
            order.append(f"second sees {found.is_inside}")

    with Session(engine) as first:
        [found] = fetch(first, Presence, [PresenceKey(1, 1)], PresenceRow, lock=True)
        thread = threading.Thread(target=move_out)
        thread.start()
        assert is_asking.wait(5)
        found.is_inside = True
        write_all(first, [Write(Presence, [found], "is_inside = excluded.is_inside")])
        order.append("first commits")
        first.commit()
    thread.join(10)
    assert order == ["first commits", "second sees True"]
