"""Files that are damaged or mean harm are refused, by name of what is wrong with them."""

import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.roster.kinds import Kind
from integrations.roster.sheets.files import read_table
from integrations.roster.sheets.grid import LARGEST_FILE, SheetError
from tests.integrations.roster.sheets.writing import write_text, write_xls, write_xlsx

ROWS = [["学号", "姓名", "班级"], ["1", "张三", "高一(3)班"], ["2", "李四", "高一(3)班"]]
XLSX = write_xlsx(ROWS)
SHEET = "xl/worksheets/sheet1.xml"


def _refused(body: bytes, name: str = "a.xlsx", encoding: str | None = None) -> Kind:
    with pytest.raises(SheetError) as raised:
        read_table(body, name, encoding=encoding)
    assert raised.value.finding.file == name
    return Kind(raised.value.finding.kind)


def _changed(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its files changed, or put in."""
    body = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(XLSX)) as old, zipfile.ZipFile(body, "w", 8) as new:
        there = old.namelist()
        for one in there:
            new.writestr(one, change(old.read(one)) if one == name else old.read(one))
        if name not in there:
            new.writestr(name, change(b""))
    return body.getvalue()


@pytest.mark.parametrize(
    ("body", "name", "kind"),
    [
        (b"", "a.xlsx", Kind.FILE_EMPTY),
        (b" \n", "a.csv", Kind.FILE_EMPTY),
        (b"x" * (LARGEST_FILE + 1), "a.csv", Kind.FILE_TOO_BIG),
        (XLSX, "a.xlsm", Kind.FILE_MACROS),
        (XLSX[:-100], "a.xlsx", Kind.FILE_BROKEN),
        (XLSX[:900], "a.xlsx", Kind.FILE_BROKEN),
        (b"PK\x03\x04" + b"x" * 100, "a.xlsx", Kind.FILE_BROKEN),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", Kind.FILE_BROKEN),
        (write_xls(ROWS) + "_VBA_PROJECT".encode("utf-16-le"), "a.xls", Kind.FILE_MACROS),
        (b"%PDF-1.7 1 0 obj", "a.pdf", Kind.FILE_KIND),
        (b'<?xml version="1.0"?><Workbook/>', "a.xls", Kind.FILE_KIND),
        (b"name\n1\n", "a.csv", Kind.FILE_NO_HEADER),
        (write_text(ROWS[:1]), "a.csv", Kind.FILE_NO_ROWS),
        ('学号,姓名,班级\n1,"张三,高一\n'.encode(), "a.csv", Kind.FILE_QUOTES),
        (("学号,姓名,班级\n" + "1,张三,x\n" * 500 + "1,a\0b,x\n").encode(), "a.csv", Kind.FILE_NUL),
        (write_text(ROWS, "utf-16-le"), "a.csv", Kind.ENCODING_UNMARKED),
        (write_text(ROWS, "utf-32"), "a.csv", Kind.ENCODING_NONE),
        (write_text(ROWS, "utf-8") + b"\xff\xff\n", "a.csv", Kind.ENCODING_NONE),
    ],
)
def test_a_file_is_refused_by_the_name_of_its_fault(body: bytes, name: str, kind: Kind) -> None:
    assert _refused(body, name) is kind


def test_macros_are_found_whatever_the_file_is_called() -> None:
    assert _refused(_changed("xl/vbaProject.bin", lambda _: b"x")) is Kind.FILE_MACROS
    macro = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    changed = _changed("[Content_Types].xml", lambda body: body + macro)
    assert _refused(changed) is Kind.FILE_MACROS


def test_a_zip_bomb_is_not_unpacked() -> None:
    assert _refused(_changed("xl/media/a", lambda _: b"\0" * 130_000_000)) is Kind.FILE_TOO_BIG


def test_a_zip_that_lies_about_its_sizes_is_found() -> None:
    bomb = _changed("xl/media/a", lambda _: b"\0" * 50_000_000)
    lying = bomb.replace((50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert _refused(lying) is Kind.FILE_BROKEN


def test_a_far_away_cell_does_not_make_a_huge_table() -> None:
    far = _changed(SHEET, lambda body: body.replace(b'r="C3"', b'r="XFD1048576"'))
    assert _refused(far) is Kind.FILE_TOO_BIG


def test_a_long_text_in_many_cells_is_too_much() -> None:
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        page = book.add_worksheet()
        for line in range(6_000):
            page.write_string(line, 0, "长" * 9_000)
    assert _refused(body.getvalue()) is Kind.FILE_TOO_BIG


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "cccc">]>'
    assert _refused(_changed(SHEET, lambda body: bomb + body)) is Kind.FILE_BROKEN
    assert _refused(_changed("xl/workbook.xml", lambda body: bomb + body)) is Kind.FILE_BROKEN


def test_two_encodings_in_one_file_are_found() -> None:
    body = "学号,姓名,班级\n1,王明,高一(3)班\n".encode("gb18030")
    assert read_table(body, "a.csv").rows
    mixed = body + "2,张三,初一\n".encode()
    assert _refused(mixed, "a.csv", "gb18030") in {Kind.ENCODING_MIXED, Kind.ENCODING_WRONG}
    mixed = body + "2,张三,李四\n".encode()
    assert mixed.decode("gb18030")
    assert _refused(mixed, "a.csv") is Kind.ENCODING_MIXED


def test_an_uncertain_encoding_is_for_a_person_to_choose() -> None:
    body = "no,name,class\n1,张三,0703\n".encode()
    assert _refused(body, "a.csv") is Kind.ENCODING_UNCERTAIN
    assert read_table(body, "a.csv", encoding="utf-8").rows[0].cells[1] == "张三"
    assert _refused(body + b"\n", "a.csv", "latin-1") is Kind.ENCODING_WRONG


def test_formulas_give_their_last_result_or_none() -> None:
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ROWS[0])
        page.write_formula(1, 0, "=1+1", None, 2)
        page.write_formula(1, 1, "=NA()", None, "#N/A")
        page.write_string(1, 2, "高一(3)班")
    table = read_table(body.getvalue(), "a.xlsx")
    assert table.rows[0].cells[0] == "2"
    assert table.marks == {(2, 0): Kind.FORMULA_CACHED, (2, 1): Kind.CELL_ERROR}
    book = openpyxl.Workbook()
    book.active.append(ROWS[0])
    book.active.append(["=1+1", "张三", "高一(3)班"])
    body = io.BytesIO()
    book.save(body)
    assert read_table(body.getvalue(), "a.xlsx").marks == {(2, 0): Kind.FORMULA_NO_VALUE}


def test_leading_zeros_of_a_number_format_are_kept() -> None:
    body = io.BytesIO()
    with xlsxwriter.Workbook(body) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ROWS[0])
        page.write_number(1, 0, 12, book.add_format({"num_format": "000000"}))
        page.write_row(1, 1, ["张三", "高一(3)班"])
    assert read_table(body.getvalue(), "a.xlsx").rows[0].cells[0] == "000012"


@settings(max_examples=150, deadline=None)
@given(data=st.data(), body=st.sampled_from([XLSX, write_xls(ROWS), write_text(ROWS, "gbk")]))
def test_a_damaged_file_is_read_or_refused(data: st.DataObject, body: bytes) -> None:
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(body) // 2, len(body)))
    assert _is_read_or_refused(bytes(damaged[:cut]))


def _is_read_or_refused(body: bytes) -> bool:
    try:
        table = read_table(body, "a")
    except SheetError as error:
        return error.finding.kind in {*Kind}
    return all(len(row.cells) == len(table.header) for row in table.rows)
