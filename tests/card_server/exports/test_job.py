"""A list of any length becomes a file that is whole, as its maker may see it, in little memory."""

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.exports.files import Export
from card_server.exports.job import describe_export, parameters_of
from card_server.exports.messages import MESSAGES, filter_messages
from card_server.exports.registry import LISTS
from card_server.exports.speaking import speaking
from card_server.exports.taps import TAPS
from card_server.jobs.pieces import read_pieces
from card_server.jobs.queue import ask_for
from card_server.reports.outbox import Wanted
from card_server.school_time import day_of
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.messages import Decision, utc_now
from schema.tables.jobs import Job, JobPart, JobState
from schema.tables.messages import MessageState
from schema.tables.people import Language
from schema.tables.readers import Direction
from schema.tables.staff import Role, Scope
from schema.tables.taps import DirectionBy, Effect, Tap
from tests.card_server.jobs.desk import SEAL, ask, do_next, make_asker, read
from tests.card_server.web.campus_things import add_presence
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.odd_things import add_day
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap

MANY = 25_000
MOST_MEMORY_KB = 24 * 1024
"""50,000 taps as objects alone take more than twice that."""
_DO_TWO = """
import sys
from pathlib import Path
from card_server.storage.database import open_engine
from tests.card_server.jobs.desk import do_next

def peak_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("VmHWM"))

engine = open_engine(sys.argv[1])
assert do_next(engine)
Path("/proc/self/clear_refs").write_text("5")
before = peak_kb()
assert do_next(engine)
print(before, peak_kb())
"""
_BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
_ZONE = ZoneInfo("Asia/Shanghai")


def add_many_taps(session: Session, school: SmallSchool, number: int) -> None:
    """So many taps, a second apart, by all students in turn."""
    rows = [
        {
            "school_id": school.id,
            "id": UUID(int=seq),
            "reader_id": school.readers[0],
            "boot": 2,
            "seq": seq,
            "uid": school.uids[seq % len(school.uids)],
            "student_id": school.students[seq % len(school.students)],
            "tapped_at": moment,
            "sent_at": moment,
            "received_at": moment,
            "occurred_at": moment,
            "clock_suspect": False,
            "decision": Decision.ADMITTED,
            "cards_version": 7,
            "direction": Direction.IN,
            "direction_by": DirectionBy.READER,
            "effect": Effect.NONE,
        }
        for seq in range(1, number + 1)
        if (moment := _BEGIN + timedelta(seconds=seq // 2))
    ]
    session.execute(insert(Tap), rows)


def _body(sessions: sessionmaker[Session], job_id: int) -> bytes:
    assert read(sessions, job_id).state is JobState.DONE, read(sessions, job_id).message
    return b"".join(read_pieces(sessions, SEAL, job_id, JobPart.RESULT))


def _lines(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def _sheets(body: bytes) -> list[list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(body), read_only=True)
    return [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]


@pytest.mark.parametrize("kind", Export)
def test_many_thousand_taps_come_whole_in_order_and_in_little_memory(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool, kind: Export
) -> None:
    with sessions.begin() as session:
        add_many_taps(session, school, MANY)
    ask(sessions, school, "export", parameters_of(kind, MESSAGES, {}))
    job_id = ask(sessions, school, "export", parameters_of(kind, TAPS, {}))
    url = engine.url.render_as_string(hide_password=False)
    said = subprocess.run(
        [sys.executable, "-c", _DO_TWO, url],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    before_kb, after_kb = map(int, said.stdout.split())
    assert after_kb - before_kb < MOST_MEMORY_KB
    job = read(sessions, job_id)
    assert (job.done, job.total, job.file_rows) == (MANY, MANY, MANY)
    body = _body(sessions, job_id)
    assert len(body) == job.file_bytes
    table = _lines(body) if kind is Export.CSV else _sheets(body)[0]
    assert len(table) == MANY + 1
    newest = _BEGIN + timedelta(seconds=MANY // 2)
    for place, seq in ((1, MANY), (MANY, 1), (20_001, MANY - 20_000)):
        moment = (_BEGIN + timedelta(seconds=seq // 2)).astimezone(_ZONE).replace(tzinfo=None)
        assert str(table[place][0]) == str(moment)
        assert table[place][3] == school.uids[seq % len(school.uids)]
    assert str(newest.astimezone(_ZONE).date()) in str(table[1][0])


def test_a_file_says_which_rows_it_holds_and_in_whose_words(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        for student, state in enumerate((MessageState.FAILED, MessageState.ACCEPTED)):
            add_message(session, school, student, state)
    filters = filter_messages(Wanted(since=_BEGIN.replace(year=2020), state=MessageState.FAILED))
    parameters = parameters_of(Export.XLSX, MESSAGES, filters)
    job_id = ask(sessions, school, "export", parameters)
    with sessions.begin() as session:
        session.get_one(Job, job_id).language = Language.CHINESE
    assert do_next(engine)
    job = read(sessions, job_id)
    assert job.file_name
    assert job.file_name.startswith("messages-since_2020_09_01T00_00Z-state_failed-20")
    messages, about = _sheets(_body(sessions, job_id))
    assert messages[0][0] == "时间"
    assert [row[1] for row in messages[1:]] == ["张三"]
    assert messages[1][5] == "失败"
    described = dict(row[:2] for row in about)
    assert described["状态"] == "失败"
    assert 1 in described.values()
    assert job.file_rows == 1
    assert "张三" not in job.parameters + job.message + job.message_values + job.file_name


def test_a_teacher_gets_their_own_homeroom_and_no_other(
    engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    role = Role.HOMEROOM_TEACHER
    with sessions.begin() as session:
        for student in range(4):
            add_tap(session, school, student)
        grant = Grant(role, Scope.HOMEROOM, homeroom_id=school.homerooms[0])
        create_staff(session, school.id, "li", "李老师", grant)
        asker = make_asker(session, school, frozenset({role}), "li")
        parameters = parameters_of(Export.CSV, TAPS, {})
        job_id = ask_for(session, asker, "export", parameters, utc_now())
    assert do_next(engine)
    lines = _lines(_body(sessions, job_id))
    assert {line[2] for line in lines[1:]} == {"高一(1)班"}
    assert len(lines) == 3


def test_a_message_that_changes_meanwhile_is_in_the_file_once(
    postgres_url: str,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with sessions.begin() as session:
        for student in range(8):
            add_message(session, school, student)
    monkeypatch.setattr("card_server.exports.messages.BATCH", 3)
    from card_server.exports import job as export_job
    from schema.tables.messages import Message

    seen = 0
    usual = export_job._Tally.over

    def change_between(self: Any, rows: Any) -> Any:
        nonlocal seen
        for row in usual(self, rows):
            seen += 1
            if seen == 3:
                with sessions.begin() as session:
                    oldest = select(Message.id).order_by(Message.changed_at).limit(1)
                    session.execute(
                        update(Message)
                        .where(Message.id == oldest.scalar_subquery())
                        .values(changed_at=utc_now() + timedelta(hours=1))
                    )
            yield row

    monkeypatch.setattr(export_job._Tally, "over", change_between)
    job_id = ask(sessions, school, "export", parameters_of(Export.CSV, MESSAGES, {}))
    assert do_next(engine)
    names = [line[1] for line in _lines(_body(sessions, job_id))[1:]]
    assert len(names) == len(set(names)) == 8


def test_a_file_that_would_be_too_large_is_refused_and_not_cut(
    engine: Engine,
    sessions: sessionmaker[Session],
    school: SmallSchool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("card_server.exports.job.MOST_BYTES", 100)
    with sessions.begin() as session:
        for student in range(8):
            add_tap(session, school, student)
    job_id = ask(sessions, school, "export", parameters_of(Export.CSV, TAPS, {}))
    assert do_next(engine)
    job = read(sessions, job_id)
    assert (job.state, job.file_name) == (JobState.FAILED, None)
    assert "filter" in job.message


@pytest.mark.parametrize("name", LISTS)
def test_every_list_has_a_cell_under_each_head_and_counts_what_it_reads(
    sessions: sessionmaker[Session], school: SmallSchool, name: str
) -> None:
    from card_server.jobs.queue import claim
    from card_server.jobs.reach import find_school

    with sessions.begin() as session:
        add_tap(session, school, 0)
        add_message(session, school, 0)
        add_presence(session, school, 0)
        session.add(make_slip(school, 0, utc_now()))
        add_day(session, school, 1, day_of(utc_now(), _ZONE), late=1, findings="missed_entry")
    ask(sessions, school, "export", parameters_of(Export.CSV, LISTS[name], {}))
    with sessions.begin() as session:
        held = claim(session, "here", utc_now())
        assert held
        at = find_school(session, held)
    listed = LISTS[name]
    with sessions() as session, speaking(Language.ENGLISH):
        rows = list(listed.read(session, at, {}))
        assert len(rows) == listed.count(session, at, {}) > 0
        assert {len(row) for row in rows} == {len(listed.heads)}
        assert describe_export(json.loads(json.dumps(held.parameters))).endswith(", CSV")
