"""A list as a file: whole however long it is, and its name says which rows it has."""

import io
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from card_server.exports import files
from card_server.exports.files import Export, Row, SecondSheet, Sheet, name_file, write_file

_DAY = date(2026, 9, 1)


def _sheet(rows: list[Row], **more: Any) -> Sheet:
    return Sheet(
        "list", ["A", "B"], rows, ZoneInfo("Asia/Shanghai"), more.pop("filters", {}), **more
    )


def _book(sheet: Sheet) -> dict[str, list[tuple[Any, ...]]]:
    body = b"".join(write_file(Export.XLSX, sheet))
    book = openpyxl.load_workbook(io.BytesIO(body))
    return {one.title: list(one.iter_rows(values_only=True)) for one in book.worksheets}


@pytest.mark.parametrize("rows", [0, 1, 4, 5, 8, 9])
def test_what_one_sheet_cannot_hold_goes_on_the_next(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SHEET_ROWS", 4)
    book = _book(_sheet([(f"r{number}", number) for number in range(rows)]))
    assert list(book) == ["list", "list 2", "list 3"][: max(1, -(-rows // 4))]
    assert all(table[0] == ("A", "B") for table in book.values())
    kept = [row for table in book.values() for row in table[1:]]
    assert kept == [(f"r{number}", number) for number in range(rows)]


def test_a_workbook_says_of_itself_which_rows_it_has_after_the_last_of_them() -> None:
    counted: list[Row] = []

    def rows() -> Any:
        for number in range(3):
            counted.append((number, number))
            yield counted[-1]

    def about() -> Any:
        yield "=State", "=1+1"
        yield "Written", datetime(2026, 9, 1, 16, tzinfo=UTC)
        yield "Rows", len(counted)

    book = _book(_sheet(rows(), about=about()))
    assert book["about"] == [
        ("=State", "=1+1"),
        ("Written", datetime.fromisoformat("2026-09-02T00:00:00")),
        ("Rows", 3),
    ]


def test_a_second_sheet_stands_in_the_workbook_alone_before_what_it_says_of_itself() -> None:
    second = SecondSheet("weeks", ["W"], [("=1+1",), (2,)])
    sheet = _sheet([("a", 1)], second=second, about=[("Rows", 1)])
    book = _book(sheet)
    assert list(book) == ["list", "weeks", "about"]
    assert book["weeks"] == [("W",), ("=1+1",), (2,)]
    assert b"W" not in b"".join(write_file(Export.CSV, sheet))


@pytest.mark.parametrize(
    ("filters", "name"),
    [
        ({}, "list-2026-09-01.csv"),
        ({"state": "failed", "room": "7"}, "list-room_7-state_failed-2026-09-01.csv"),
        ({"state": ""}, "list-2026-09-01.csv"),
        ({"x": '../../"\r\nSet-Cookie: a; 张三'}, "list-x_.._.._Set_Cookie_a_-2026-09-01.csv"),
        ({"x": "y" * 500}, f"list-x_{'y' * 113}-2026-09-01.csv"),
    ],
)
def test_a_name_tells_the_filters_and_is_a_safe_one(filters: dict[str, str], name: str) -> None:
    made = name_file(Export.CSV, _sheet([], filters=filters), _DAY)
    assert made == name
    assert len(made) <= 160
