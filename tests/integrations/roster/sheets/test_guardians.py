"""Guardians come out of however many columns they are spread over."""

import pytest

from integrations.roster.protocol import GuardianEntry
from integrations.roster.sheets.columns import mapping_of, propose
from integrations.roster.sheets.files import read_table
from integrations.roster.sheets.homerooms import School
from integrations.roster.sheets.students import SheetOptions, read_roster
from tests.integrations.roster.sheets.writing import write_xlsx

ONE, TWO = "13800138000", "13900139000"
Expected = list[tuple[str, str, tuple[str, ...]]]


def _guardians(cells: dict[str, str]) -> tuple[GuardianEntry, ...] | None:
    given = {"学号": "1", "姓名": "张三", "班级": "0703"} | cells
    table = read_table(write_xlsx([[*given], [*given.values()]]), "a.xlsx")
    roster = read_roster(table, mapping_of(propose(table.header)), SheetOptions(School(2026)))
    [student] = roster.students
    return student.guardians


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            {
                "成员1姓名": "张大",
                "成员1关系": "51",
                "成员1联系电话": ONE,
                "成员1是否监护人": "是",
                "成员2姓名": "李四",
                "成员2关系": "母亲",
                "成员2联系电话": TWO,
                "成员2是否监护人": "1",
            },
            [("张大", "父亲", (ONE,)), ("李四", "母亲", (TWO,))],
        ),
        (
            {"父亲姓名": "张大", "父亲电话": ONE, "母亲姓名": "李四", "母亲电话": TWO},
            [("张大", "父亲", (ONE,)), ("李四", "母亲", (TWO,))],
        ),
        (
            {"家长姓名": "张大", "与学生关系": "爷爷", "联系电话1": ONE, "联系电话2": TWO},
            [("张大", "祖父", (ONE, TWO))],
        ),
        ({"家长姓名": "张大", "家长电话": f"{ONE}、{TWO}"}, [("张大", "其他", (ONE, TWO))]),
        ({"家长姓名": "张大", "联系电话": ONE}, [("张大", "其他", (ONE,))]),
        ({"联系电话": ONE}, [("张三家长", "其他", (ONE,))]),
        ({"父亲电话": ONE}, [("张三家长", "父亲", (ONE,))]),
        (
            {"家长姓名": "张大", "家长电话": ONE, "父亲": "张大", "父亲电话": TWO},
            [("张大", "父亲", (ONE, TWO))],
        ),
        (
            {
                "成员1姓名": "张大",
                "成员1关系": "其他",
                "成员1关系说明": "姑姑",
                "成员1联系电话": ONE,
            },
            [("张大", "姑母", (ONE,))],
        ),
    ],
)
def test_guardians_of_a_row(cells: dict[str, str], expected: Expected) -> None:
    found = _guardians(cells)
    assert found is not None
    assert [(one.name, one.relation, one.phones) for one in found] == [
        (name, relation, tuple(f"+86{phone}" for phone in phones))
        for name, relation, phones in expected
    ]


@pytest.mark.parametrize(
    "cells",
    [
        {"父亲姓名": "", "父亲电话": ""},
        {"父亲姓名": "无", "父亲电话": "-"},
        {"成员1姓名": "张小", "成员1联系电话": ONE, "成员1是否监护人": "否"},
        {"父亲姓名": "张大", "父亲电话": ""},
    ],
)
def test_a_row_without_a_guardian_to_reach_says_nothing(cells: dict[str, str]) -> None:
    assert _guardians(cells) is None


def test_messages_go_to_a_mobile_first() -> None:
    found = _guardians({"父亲姓名": "张大", "父亲电话": f"0571-88888888、{ONE}"})
    assert found is not None
    assert found[0].phones == (f"+86{ONE}", "+8657188888888")
