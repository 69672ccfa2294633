"""Any roster that is written as a sheet, in any kind of file and any order, comes back."""

import string
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn.ric import calc_check_digit

from integrations.roster.kinds import Kind
from integrations.roster.protocol import GuardianEntry, Sex, Status, StudentEntry
from integrations.roster.sheets.columns import mapping_of, propose
from integrations.roster.sheets.files import read_table
from integrations.roster.sheets.homerooms import School
from integrations.roster.sheets.students import SheetOptions, read_roster
from tests.integrations.roster.sheets.writing import (
    Cells,
    write_html,
    write_text,
    write_xls,
    write_xlsx,
)

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5) | st.sampled_from("㐂\U00020bb7")
NAMES = st.text(HAN, min_size=2, max_size=4) | st.sampled_from(
    ["买买提·艾力", "Anna Maria", "'; DROP TABLE", "<script>", "=cmd", "{{7*7}}", "+86", "-x", "@y"]
)
DAYS = st.dates(date(2008, 1, 1), date(2019, 12, 31))
PHONES = st.integers(0, 10**8 - 1).map(lambda number: f"+86138{number:08}")
RELATIONS = st.sampled_from(["父亲", "母亲", "祖父", "外祖母", "其他"])


@st.composite
def _guardians(draw: st.DrawFn) -> tuple[GuardianEntry, ...] | None:
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    found = [GuardianEntry(name, draw(RELATIONS), tuple(draw(_PHONE_LISTS))) for name in names]
    return tuple(found) or None


_PHONE_LISTS = st.lists(PHONES, min_size=1, max_size=2, unique=True)


@st.composite
def _rosters(draw: st.DrawFn) -> list[StudentEntry]:
    numbers = draw(
        st.lists(
            st.text(string.ascii_letters + string.digits, min_size=1, max_size=12).map(str.upper),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    return [
        _student(draw, place, f"S{number}", number_of_row=place + 2)
        for place, number in enumerate(numbers)
    ]


def _student(draw: st.DrawFn, place: int, number: str, number_of_row: int) -> StudentEntry:
    born_on = draw(DAYS)
    sex = draw(st.sampled_from([Sex.MALE, Sex.FEMALE]))
    begin = f"330106{born_on:%Y%m%d}{place:02}{1 if sex is Sex.MALE else 2}"
    return StudentEntry(
        file="a",
        line=number_of_row,
        number=number,
        name=draw(NAMES),
        homeroom=draw(st.sampled_from(["七年级(1)班", "七年级(12)班", "高二(3)班", "一年级(9)班"])),
        sex=sex,
        born_on=born_on,
        status=draw(st.sampled_from([None, *Status])),
        is_boarding=draw(st.sampled_from([None, True, False])),
        identity=draw(st.sampled_from([None, begin + calc_check_digit(begin + "0")])),
        registry=draw(st.sampled_from([None, f"G3301{place:08}"])),
        guardians=draw(_guardians()),
        card_number=draw(st.sampled_from([None, f"04A2{place:04X}"])),
    )


STATUS_WORDS = {
    Status.ENROLLED: "在读",
    Status.SUSPENDED: "休学",
    Status.TRANSFERRED: "转出",
    Status.GRADUATED: "毕业",
}


def _columns(student: StudentEntry) -> dict[str, str]:
    """The student as a sheet has it."""
    columns = {
        "学生编号": student.number,
        "学生姓名": student.name,
        "行政班": student.homeroom,
        "性别": "男" if student.sex is Sex.MALE else "女",
        "出生日期": f"{student.born_on:%Y%m%d}" if student.born_on else "",
        "学籍状态": STATUS_WORDS[student.status] if student.status else "",
        "就读方式": {None: "", True: "住校", False: "走读"}[student.is_boarding],
        "身份证号": student.identity or "",
        "学籍号": student.registry or "",
        "卡号": student.card_number or "",
        "座号": "7",
    }
    for place in range(3):
        there = (student.guardians or ())[place : place + 1]
        guardian = there[0] if there else GuardianEntry("", "", ())
        columns |= {
            f"监护人{place + 1}姓名": guardian.name,
            f"监护人{place + 1}关系": guardian.relation,
            f"监护人{place + 1}电话": "、".join(guardian.phones),
        }
    return columns


WRITERS: dict[str, Callable[[Cells], bytes]] = {
    "xlsx": write_xlsx,
    "xls": write_xls,
    "html": write_html,
    "utf-8 with mark": write_text,
    "utf-8": lambda rows: write_text(rows, "utf-8"),
    "gb18030": lambda rows: write_text(rows, "gb18030"),
    "gb18030 tabs": lambda rows: write_text(rows, "gb18030", "\t"),
    "utf-16": lambda rows: write_text(rows, "utf-16"),
}


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=30, deadline=None)
@given(students=_rosters(), data=st.data())
def test_what_was_written_comes_back(
    kind: str, students: list[StudentEntry], data: st.DataObject
) -> None:
    written = [_columns(student) for student in students]
    header = data.draw(st.permutations([*written[0]]))
    rows = [header, *([row[name] for name in header] for row in written)]
    table = read_table(WRITERS[kind](rows), "a")
    roster = read_roster(table, mapping_of(propose(table.header)), SheetOptions(School(2026)))
    assert {finding.kind for finding in roster.findings} <= {Kind.NAME_ODD}
    assert [*roster.students] == students
    assert {room.name for room in roster.homerooms} == {one.homeroom for one in students}
