"""A past comes along on both databases: each tap once, nobody is told, nothing is guessed."""

import csv
import random
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.errors import AppError, Code
from card_server.imports.tap_log import LogFinding, LoggedTap, make_profile, read_log
from card_server.imports.taps import ImportReport, import_taps
from card_server.storage.database import open_sessions
from schema.messages import CardState, Decision, Refusal
from schema.tables.attendance import Attendance
from schema.tables.cards import Card, CardBinding
from schema.tables.messages import Message
from schema.tables.people import Guardian, Guardianship, Student
from schema.tables.readers import Direction, Purpose, Reader
from schema.tables.school import Homeroom, School
from schema.tables.taps import Effect, Tap

SEPTEMBER = datetime(2024, 9, 1, tzinfo=UTC)
MORNING = datetime(2024, 9, 2, 23, 30, tzinfo=UTC)
"""07:30 in the school's zone on 3 September."""


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """A school with two gates and two students, whose cards are theirs since September."""
    made = open_sessions(engine)
    with made.begin() as session:
        school = School(code="s1", name="实验中学", signature="实验中学")
        session.add(school)
        session.flush()
        homeroom = Homeroom(school_id=school.id, grade=7, name="七(1)班")
        session.add(homeroom)
        for code, direction in (("gate-in", Direction.IN), ("gate-out", Direction.OUT)):
            session.add(
                Reader(
                    school_id=school.id,
                    code=code,
                    name=code,
                    place="东门",
                    purpose=Purpose.GATE,
                    direction=direction,
                )
            )
        session.flush()
        for uid in ("5630F009", "5630F10A"):
            _add_student(session, homeroom, uid, SEPTEMBER)
        _add_student(session, homeroom, "AA00AA00", datetime.now(UTC))
    return made


def _add_student(session: Session, homeroom: Homeroom, uid: str, bound_at: datetime) -> None:
    school_id = homeroom.school_id
    student = Student(school_id=school_id, number=uid, name="张三", homeroom_id=homeroom.id)
    guardian = Guardian(
        school_id=school_id,
        name="张父",
        phone_sealed=b"x",
        phone_hash=b"x" * 32,
        phone_tail="1",
        verified_at=SEPTEMBER,
    )
    card = Card(school_id=school_id, uid=uid, state=CardState.ACTIVE, state_since=bound_at)
    session.add_all([student, guardian, card])
    session.flush()
    session.add_all(
        [
            Guardianship(
                student_id=student.id,
                guardian_id=guardian.id,
                relation="父",
                consented_at=SEPTEMBER,
            ),
            CardBinding(
                school_id=school_id, card_id=card.id, student_id=student.id, bound_at=bound_at
            ),
        ]
    )


def tap(minute: int = 0, **changes: Any) -> LoggedTap:
    values: dict[str, Any] = {
        "line": 2,
        "uid": "5630F009",
        "reader_name": "东门进",
        "reader_code": "gate-in",
        "tapped_at": MORNING + timedelta(minutes=minute),
        "decision": Decision.ADMITTED,
        "reason": None,
    }
    return LoggedTap(**values | changes)


LOG: list[LoggedTap | LogFinding] = [
    tap(),
    tap(1, uid="5630F10A"),
    tap(45, uid="5630F10A", reader_code="gate-out"),
    tap(2, uid="5630F10A", decision=Decision.REFUSED, reason=Refusal.LOST),
    tap(3, uid="DEADBEEF"),
    tap(4, uid="AA00AA00"),
    tap(),
    tap(5, reader_name="西门", reader_code=None),
    tap(6, reader_name="北门", reader_code="gate-north"),
    LogFinding(9, "time", "no time"),
    tap(60 * 24 * 36_500),
]


def kept(sessions: sessionmaker[Session]) -> list[Tap]:
    with sessions() as session:
        return list(session.scalars(select(Tap).order_by(Tap.tapped_at)))


def count(sessions: sessionmaker[Session], table: type[Message | Attendance | Tap]) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def numbers(report: ImportReport) -> tuple[int, ...]:
    return (
        report.rows,
        report.recorded,
        report.known,
        report.repeated,
        report.not_stored,
        report.unreadable,
        report.refused,
    )


def test_each_row_is_counted_once_and_nothing_is_guessed(sessions: sessionmaker[Session]) -> None:
    report = import_taps(sessions, "s1", LOG)
    assert numbers(report) == (11, 6, 0, 1, 2, 2, 1)
    assert report.unknown_readers == {"西门": 1, "北门": 1}
    assert report.unknown_cards == {"DEADBEEF": 1}
    assert report.unheld_cards == {"AA00AA00": 1}
    assert [(finding.line, finding.field) for finding in report.findings] == [
        (9, "time"),
        (2, "time"),
    ]
    assert (report.first_at, report.last_at) == (MORNING, MORNING + timedelta(minutes=45))


def test_taps_are_recorded_as_they_were_and_nobody_is_told(sessions: sessionmaker[Session]) -> None:
    import_taps(sessions, "s1", LOG)
    rows = [(t.uid, t.effect, t.decision, t.reason, t.student_id is None) for t in kept(sessions)]
    admitted, refused = Decision.ADMITTED, Decision.REFUSED
    assert rows == [
        ("5630F009", Effect.ARRIVAL, admitted, None, False),
        ("5630F10A", Effect.ARRIVAL, admitted, None, False),
        ("5630F10A", Effect.NONE, refused, Refusal.LOST, False),
        ("DEADBEEF", Effect.NONE, admitted, None, True),
        ("AA00AA00", Effect.NONE, admitted, None, True),
        ("5630F10A", Effect.DEPARTURE, admitted, None, False),
    ]
    assert all(t.occurred_at == t.tapped_at and t.boot is None for t in kept(sessions))
    assert count(sessions, Attendance) == 2
    assert count(sessions, Message) == 0


def test_again_and_again_changes_nothing(sessions: sessionmaker[Session]) -> None:
    import_taps(sessions, "s1", LOG)
    before = [(t.id, t.received_at, t.effect) for t in kept(sessions)]
    report = import_taps(sessions, "s1", LOG)
    assert numbers(report) == (11, 0, 7, 0, 2, 2, 0)
    assert [(t.id, t.received_at, t.effect) for t in kept(sessions)] == before


def test_a_longer_log_adds_what_is_new(sessions: sessionmaker[Session]) -> None:
    import_taps(sessions, "s1", LOG[:1])
    report = import_taps(sessions, "s1", [*LOG[:1], tap(500, reader_code="gate-out")])
    assert (report.known, report.recorded) == (1, 1)
    assert [t.effect for t in kept(sessions)] == [Effect.ARRIVAL, Effect.DEPARTURE]


def test_a_dry_run_tells_the_same_and_keeps_nothing(sessions: sessionmaker[Session]) -> None:
    dry = import_taps(sessions, "s1", LOG, dry_run=True)
    assert count(sessions, Tap) == 0
    assert dry == import_taps(sessions, "s1", LOG)


def test_a_run_that_breaks_off_is_completed_by_the_next(sessions: sessionmaker[Session]) -> None:
    log = [tap(minute) for minute in range(1_200)]

    def break_off(report: ImportReport) -> None:
        if report.rows == 1_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_taps(sessions, "s1", log, progress=break_off)
    assert count(sessions, Tap) == 1_000
    report = import_taps(sessions, "s1", log)
    assert (report.known, report.recorded) == (1_000, 200)
    assert count(sessions, Tap) == 1_200


def test_the_beginning_of_a_number_counts_only_where_one_card_has_it(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        school_id = session.scalars(select(School.id)).one()
        session.add(
            Card(school_id=school_id, uid="AA00AAFF", state=CardState.ACTIVE, state_since=SEPTEMBER)
        )
    report = import_taps(sessions, "s1", [tap(uid="5630F0"), tap(uid="AA00AA"), tap(uid="777777")])
    assert [t.uid for t in kept(sessions)] == ["5630F009"]
    assert report.unknown_cards == {"AA00AA…": 1, "777777…": 1}
    assert report.not_stored == 2


def test_an_unknown_school_is_named(sessions: sessionmaker[Session]) -> None:
    with pytest.raises(AppError, match="no school 'x'") as caught:
        import_taps(sessions, "x", LOG)
    assert caught.value.code is Code.NOT_FOUND


def test_what_a_report_lists_is_bounded(sessions: sessionmaker[Session]) -> None:
    strangers = [tap(n, reader_name=f"门{n}", reader_code=None) for n in range(1_500)]
    report = import_taps(sessions, "s1", strangers)
    assert len(report.unknown_readers) == 1_001
    assert report.unknown_readers["…"] == 500


def test_a_long_log_streams_in_bounded_memory(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path, rows = tmp_path / "log.csv", 20_000
    _write_log(path, rows)
    profile = make_profile(
        {
            "columns": {"time": "时间", "card": "卡号", "reader": "设备"},
            "notation": "hex",
            "zone": "Asia/Shanghai",
            "readers": {"进": "gate-in", "出": "gate-out"},
        }
    )
    seen: list[int] = []
    tracemalloc.start()
    report = import_taps(
        sessions,
        "s1",
        read_log(path, profile),
        dry_run=True,
        progress=lambda report: seen.append(report.rows),
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == list(range(500, rows + 1, 500))
    assert report.recorded + report.repeated == rows
    assert peak < 20_000_000


def _write_log(path: Path, rows: int) -> None:
    chance = random.Random(20250901)
    with path.open("w", encoding="gbk", newline="") as file:
        log = csv.writer(file)
        log.writerow(["时间", "姓名", "卡号", "设备"])
        for n in range(rows):
            moment = MORNING + timedelta(seconds=20 * n)
            uid = chance.choice(["5630F009", "5630F10A"])
            log.writerow([f"{moment:%Y-%m-%d %H:%M:%S}", "张三", uid, chance.choice("进出")])
