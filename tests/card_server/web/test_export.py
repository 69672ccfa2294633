"""What is downloaded is what the page shows, and no cell of it runs."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.access import use_school
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.staff.sessions import SchoolInUse
from card_server.web.export import Cell, Export, make_harmless, send_export
from schema.tables.audit import AuditEntry
from schema.tables.people import Student
from tests.card_server.web.small_school import SmallSchool, add_message, add_tap

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x")']
_FORMULA_SIGNS = "=+-@\t\r＝＋－＠"
_SCHOOL = SchoolInUse(1, "第一中学", "一中", ZoneInfo("Asia/Shanghai"), "08:00", 7)


def _export(kind: Export, rows: list[tuple[Cell, ...]]) -> bytes:
    app = Flask(__name__)
    with app.test_request_context():
        use_school(_SCHOOL, [WHOLE_SCHOOL])
        answer = send_export(kind, "list", ["A", "B"], rows)
        disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith('attachment; filename="list-20')
    # Read after the request has ended, as a server does.
    return b"".join(answer.iter_encoded())


def read_xlsx(body: bytes) -> list[tuple[Any, ...]]:
    sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    return list(sheet.iter_rows(values_only=True))


def read_csv(body: bytes) -> list[list[str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_cell_is_text_in_both_kinds(text: str) -> None:
    assert read_csv(_export(Export.CSV, [(text, 1)]))[1] == [f"'{text}", "1"]
    kept = read_xlsx(_export(Export.XLSX, [(text, 1)]))[1]
    assert kept[0].replace("_x000D_", "\r") == text
    assert kept[1] == 1


@given(st.text())
def test_no_text_begins_with_a_formulas_sign(text: str) -> None:
    harmless = make_harmless(text)
    assert not harmless.startswith(tuple(_FORMULA_SIGNS))
    assert harmless in (text, f"'{text}")


def test_times_are_the_schools_and_numbers_stay_numbers() -> None:
    rows: list[tuple[Cell, ...]] = [
        (datetime(2026, 9, 1, 23, 30, 5, tzinfo=UTC), -3),
        (date(2026, 9, 1), None),
    ]
    table = read_xlsx(_export(Export.XLSX, rows))
    assert table[1] == (datetime.fromisoformat("2026-09-02T07:30:05"), -3)
    assert table[2] == (datetime.fromisoformat("2026-09-01"), None)
    lines = read_csv(_export(Export.CSV, rows))
    assert lines[1:] == [["2026-09-02 07:30:05", "-3"], ["2026-09-01", ""]]


def test_a_long_list_comes_whole() -> None:
    rows: list[tuple[Cell, ...]] = [(f"学生{number}", number) for number in range(20_000)]
    assert len(read_csv(_export(Export.CSV, rows))) == 20_001
    assert read_xlsx(_export(Export.XLSX, rows))[20_000] == ("学生19999", 19_999)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("path", ["/board", "/board?homeroom={room}", "/taps", "/messages"])
def test_a_page_is_downloaded_and_that_is_noted(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    path: str,
    kind: str,
) -> None:
    with sessions.begin() as session:
        session.get_one(Student, school.students[0]).name = "=cmd|' /C calc'!A0"
        add_tap(session, school, 0, late_minutes=5)
        add_message(session, school, 0)
    path = path.format(room=school.homerooms[0])
    answer = staff.get(f"{path}{'&' if '?' in path else '?'}export={kind}")
    assert answer.status_code == 200
    name = answer.headers["Content-Disposition"]
    assert f".{kind}" in name
    assert "cmd" not in name
    rows = read_csv(answer.data) if kind == "csv" else read_xlsx(answer.data)
    assert len(rows) > 1
    if path != "/board":
        wanted = "'=cmd|' /C calc'!A0" if kind == "csv" else "=cmd|' /C calc'!A0"
        assert wanted in {cell for row in rows for cell in row}
    with sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "export.taken")).one()
        assert entry.subject == f"school:{school.id}"


def test_an_unknown_kind_is_the_page(staff: FlaskClient) -> None:
    assert "<html" in staff.get("/taps?export=exe").text
