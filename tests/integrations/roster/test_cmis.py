"""A register system is a profile: its sheet comes in, and ours go out in its words."""

import csv
import io
from datetime import date, time
from pathlib import Path

import openpyxl
import pytest

from integrations.roster.cmis import (
    Profile,
    ProfileError,
    make_profile,
    profiles,
    read_profile,
    read_register,
)
from integrations.roster.cmis_sheets import (
    AttendanceRow,
    CardRow,
    LoanRow,
    NotWritableError,
    write_attendance_csv,
    write_attendance_xlsx,
    write_cards_csv,
    write_cards_xlsx,
    write_loans_csv,
    write_loans_xlsx,
)
from integrations.roster.sheets.homerooms import School
from integrations.roster.sheets.students import SheetOptions
from tests.integrations.roster.sheets.writing import write_text, write_xlsx

OPTIONS = SheetOptions(School(2026))
REGISTRY = "G33010620130501101X"
CARD = CardRow("20240001", "=张三", "七年级(3)班", "04A23BC4", REGISTRY, date(2026, 9, 1))
DAY = AttendanceRow(
    "20240001", "张三", "七年级(3)班", date(2026, 9, 1), "late", REGISTRY, time(8, 5)
)
LOAN = LoanRow(
    "20240001", "张三", "七年级(3)班", "@朝花夕拾", date(2026, 9, 1), REGISTRY, "9787020002207"
)


def _lines(body: bytes) -> list[list[str]]:
    return [*csv.reader(io.StringIO(body.decode("gbk"), newline=""))]


def _cells(body: bytes) -> list[tuple[object, ...]]:
    page = openpyxl.load_workbook(io.BytesIO(body)).active
    assert page is not None
    assert {cell.data_type for row in page.iter_rows() for cell in row} <= {"s", "n"}
    return [*page.iter_rows(values_only=True)]


@pytest.mark.parametrize("name", ["national", "school"])
def test_the_profiles_that_come_with_us_are_right(name: str) -> None:
    assert profiles()[name].targets()


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-16", None])
def test_the_register_comes_in(encoding: str | None) -> None:
    rows = [
        ["学籍辅号", "姓名", "性别", "班号", "成员1姓名", "成员1关系", "成员1联系电话"],
        ["20240001", "张三", "1", "0703", "张大", "51", "13800138000"],
    ]
    body = write_text(rows, encoding) if encoding else write_xlsx(rows)
    table, roster = read_register(body, "a", profiles()["national"], OPTIONS)
    assert table.header == (*rows[0],)
    assert (roster.source, roster.findings) == ("cmis", ())
    [student] = roster.students
    assert (student.number, student.homeroom) == ("20240001", "七年级(3)班")
    assert student.guardians is not None


def test_cards_go_out() -> None:
    national = profiles()["national"]
    header = ["学籍号", "学籍辅号", "姓名", "班号", "卡号", "发卡日期"]
    cells = [REGISTRY, "20240001", "七年级(3)班", "04A23BC4", "20260901"]
    [first, line] = _lines(write_cards_csv(national, [CARD]))
    assert first == header
    assert line == [*cells[:2], "'=张三", *cells[2:]]
    [first_row, row] = _cells(write_cards_xlsx(national, [CARD]))
    assert [*first_row] == header
    assert row == (*cells[:2], "=张三", *cells[2:])


def test_attendance_goes_out_in_the_registers_words() -> None:
    school = profiles()["school"]
    expected = ["20240001", "张三", "七年级(3)班", "2026-09-01", "迟到", "08:05", ""]
    assert _lines(write_attendance_csv(school, [DAY]))[1] == expected
    row = _cells(write_attendance_xlsx(school, [DAY]))[1]
    assert [cell or "" for cell in row] == expected


def test_loans_go_out() -> None:
    school = profiles()["school"]
    [header, line] = _lines(write_loans_csv(school, [LOAN]))
    there = dict(zip(header, line, strict=True))
    assert (there["书名"], there["ISBN"], there["还书日期"]) == ("'@朝花夕拾", LOAN.isbn, "")
    row = _cells(write_loans_xlsx(school, [LOAN]))[1]
    assert "@朝花夕拾" in row


def test_a_name_that_the_encoding_lacks_is_said_and_not_replaced() -> None:
    rows = [CARD, CardRow("2", "李\U00020bb7", "七年级(3)班", "04A23BC5")]
    with pytest.raises(NotWritableError) as raised:
        write_cards_csv(profiles()["national"], rows)
    assert (raised.value.encoding, raised.value.lines) == ("gbk", (3,))
    assert _cells(write_cards_xlsx(profiles()["national"], rows))[2][2] == "李\U00020bb7"


def _values(**changes: object) -> dict[str, object]:
    sheet = {"title": "学生", "columns": [["学号", "number"]]}
    values: dict[str, object] = {"name": "own", "title": "本区学籍", "register": {}}
    return values | {"cards": sheet, "attendance": sheet, "loans": sheet} | changes


def test_a_school_may_have_a_profile_of_its_own(tmp_path: Path) -> None:
    words = {"register": {"columns": {"内部码": "number"}, "words": {"status": {"云游": "休学"}}}}
    profile = make_profile(_values(**words))
    assert isinstance(profile, Profile)
    body = write_xlsx([["内部码", "姓名", "班级", "学籍状态"], ["1", "张三", "0703", "云游"]])
    _, roster = read_register(body, "a.xlsx", profile, OPTIONS)
    assert roster.findings == ()
    assert str(roster.students[0].status) == "suspended"
    path = tmp_path / "own.toml"
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"own\.toml"):
        read_profile(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "No Name"},
        {"surprise": 1},
        {"register": {"columns": {"内部码": "nothing"}}},
        {"cards": {"title": "卡", "columns": [["卡号", "secret"]]}},
        {"writing": {"encoding": "klingon"}},
    ],
)
def test_a_profile_that_is_not_right_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProfileError):
        make_profile(_values(**changes))
