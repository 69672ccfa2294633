"""A table comes out of whatever kind of file it is in, and says where people stand in it."""

import io
from datetime import date

import pytest
import xlsxwriter

from integrations.roster.kinds import Kind
from integrations.roster.sheets.files import Table, mend, read_table
from integrations.roster.sheets.grid import SheetError
from tests.integrations.roster.sheets.writing import (
    Cell,
    Cells,
    write_html,
    write_text,
    write_xls,
    write_xlsx,
)

HEADER = ["学号", "姓名", "班级"]
ROWS = [HEADER, ["0012", "张三", "高一(3)班"], ["0013", "李\U00020bb7", "高一(3)班"]]


def _cells(table: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows]


@pytest.mark.parametrize(
    ("body", "name", "kind"),
    [
        (write_xlsx(ROWS), "a.xlsx", "xlsx"),
        (write_xlsx(ROWS), "a.xls", "xlsx"),
        (write_xls(ROWS), "a.xls", "xls"),
        (write_html(ROWS), "a.xls", "html"),
        (write_html(ROWS, "gb18030"), "a.xls", "html"),
        (write_text(ROWS), "a.csv", "text"),
        (write_text(ROWS, "utf-8"), "a.csv", "text"),
        (write_text(ROWS, "gb18030"), "a.csv", "text"),
        (write_text(ROWS, "utf-16"), "a.txt", "text"),
        (write_text(ROWS, "gb18030", "\t"), "a.xls", "text"),
        (write_text(ROWS, "utf-16", "\t"), "a.xls", "text"),
        (write_text(ROWS, "utf-8", ";"), "a.csv", "text"),
    ],
)
def test_every_kind_of_file_gives_the_same_table(body: bytes, name: str, kind: str) -> None:
    table = read_table(body, name)
    assert table.kind == kind
    assert table.header == (*HEADER,)
    assert _cells(table) == [(*row,) for row in ROWS[1:]]
    assert [row.line for row in table.rows] == [2, 3]
    assert table.findings == ()


def test_gbk_is_read_where_it_has_all_characters() -> None:
    rows = [HEADER, ["1", "张三", "高一(3)班"]]
    assert _cells(read_table(write_text(rows, "gbk"), "a.csv")) == [(*rows[1],)]


TITLED: Cells = [
    ["某某中学学生名册", "", ""],
    ["", "", ""],
    HEADER,
    ["必填", "必填", "下拉选择"],
    ["1", "张三", "高一(3)班"],
    ["", "", ""],
    HEADER,
    ["2", "李四", "高一(3)班"],
    ["注：本表由班主任填写", "", ""],
    ["合计", "2人", ""],
]


@pytest.mark.parametrize("body", [write_xlsx(TITLED, merged=["A1:C1"]), write_text(TITLED)])
def test_titles_notes_and_repeated_headers_are_nobody(body: bytes) -> None:
    table = read_table(body, "a")
    assert table.header_line == 3
    assert [(row.line, row.cells[1]) for row in table.rows] == [(5, "张三"), (8, "李四")]
    assert [(one.line, one.kind) for one in table.findings] == [
        (4, Kind.ROW_NOTE),
        (7, Kind.ROW_HEADER_AGAIN),
        (9, Kind.ROW_NOTE),
        (10, Kind.ROW_NOTE),
    ]


GROUPED: Cells = [
    ["学号", "姓名", "班级", "父亲", "", "母亲", ""],
    ["", "", "", "姓名", "电话", "姓名", "电话"],
    ["1", "张三", "高一(3)班", "张大", "13800138000", "李四", "13900139000"],
]


@pytest.mark.parametrize(
    "body", [write_xlsx(GROUPED, merged=["A1:A2", "D1:E1", "F1:G1"]), write_text(GROUPED)]
)
def test_a_header_of_two_rows_is_put_together(body: bytes) -> None:
    table = read_table(body, "a")
    assert table.header == ("学号", "姓名", "班级", "父亲姓名", "父亲电话", "母亲姓名", "母亲电话")
    assert [row.line for row in table.rows] == [3]


def test_a_page_with_merged_cells_keeps_its_columns() -> None:
    page = """<table><tr><td rowspan=2>学号</td><td rowspan=2>姓名</td><td rowspan=2>班级</td>
    <td colspan=2>父亲</td></tr><tr><td>姓名</td><td>电话</td></tr>
    <tr><td>1</td><td>张&#19977;</td><td>高一(3)班<td>张大<td>13800138000</tr></table>"""
    table = read_table(page.encode(), "a.xls")
    assert table.header == ("学号", "姓名", "班级", "父亲姓名", "父亲电话")
    assert _cells(table) == [("1", "张三", "高一(3)班", "张大", "13800138000")]


def test_numbers_and_dates_of_a_workbook_are_text_without_loss() -> None:
    header = [*HEADER, "卡号", "出生日期"]
    cells: list[Cell] = [20240001, "张三", 703, 4271832015]
    for body in (
        write_xlsx([header, [*cells, date(2010, 5, 1)]]),
        write_xls([header, [*cells, "2010-05-01"]]),
    ):
        [row] = read_table(body, "a").rows
        assert row.cells == ("20240001", "张三", "703", "4271832015", "2010-05-01")


def test_the_sheet_with_people_is_taken_and_another_may_be_chosen() -> None:
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        for name, rows in (("说明", [["填写说明"]]), ("学生", ROWS), ("旧", ROWS[:2])):
            page = book.add_worksheet(name)
            for line, row in enumerate(rows):
                page.write_row(line, 0, row)
        book.add_worksheet("藏").hide()
    table = read_table(body.getvalue(), "a.xlsx")
    assert (table.sheet, table.sheets) == ("学生", ("说明", "学生", "旧"))
    assert len(read_table(body.getvalue(), "a.xlsx", sheet="旧").rows) == 1
    with pytest.raises(SheetError) as raised:
        read_table(body.getvalue(), "a.xlsx", sheet="藏")
    assert raised.value.finding.kind == Kind.FILE_NO_SHEET


def test_what_marks_text_for_a_spreadsheet_is_no_part_of_it() -> None:
    text = '学号,姓名,班级\n="0012",\'=张三,"\t高一(3)班"\n0013,\'; DROP,高一(3)班\n'
    assert _cells(read_table(text.encode(), "a.csv")) == [
        ("0012", "=张三", "高一(3)班"),
        ("0013", "'; DROP", "高一(3)班"),
    ]


def test_a_person_mends_cells_and_leaves_rows_out() -> None:
    table = read_table(write_xlsx(ROWS), "a.xlsx")
    mended = mend(table, {(2, 0): "0099"}, without={3})
    assert _cells(mended) == [("0099", "张三", "高一(3)班")]
    assert _cells(table)[0][0] == "0012"
