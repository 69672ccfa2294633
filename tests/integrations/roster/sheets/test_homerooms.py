"""Homerooms are read in the many ways in which schools write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.roster.kinds import Kind
from integrations.roster.sheets.homerooms import HomeroomError, School, read_homeroom

ALL = School(2026)
JUNIOR = School(2026, first_grades=(7,))


def _read(written: str, grade: str = "", stage: str = "", entered: str = "") -> tuple[str, int]:
    room = read_homeroom(written, grade, stage, entered, ALL)
    return room.name, room.grade


@pytest.mark.parametrize(
    ("written", "grade", "name", "number"),
    [
        ("高一(3)班", "", "高一(3)班", 10),
        ("高一（3）班", "", "高一(3)班", 10),
        ("高一3班", "高一", "高一(3)班", 10),
        ("高一03班", "", "高一(3)班", 10),
        ("高一三班", "", "高一(3)班", 10),
        ("高三一班", "", "高三(1)班", 12),
        ("高１（３）班", "", "高一(3)班", 10),
        ("七年级（2）班", "", "七年级(2)班", 7),
        ("7年级2班", "", "七年级(2)班", 7),
        ("初一2班", "", "初一(2)班", 7),
        ("初三(十二)班", "", "初三(12)班", 9),
        ("五(3)班", "", "五年级(3)班", 5),
        ("三2班", "", "三年级(2)班", 3),
        ("6-2班", "", "六年级(2)班", 6),
        ("小学三年级二班", "", "小学三年级(2)班", 3),
        ("二年级十班", "", "二年级(10)班", 2),
        ("0703", "", "七年级(3)班", 7),
        ("703", "", "七年级(3)班", 7),
        ("1003", "", "高一(3)班", 10),
        ("0703", "7", "七年级(3)班", 7),
        ("3", "七年级", "七年级(3)班", 7),
        ("03班", "10", "高一(3)班", 10),
        ("10", "10", "高一(10)班", 10),
        ("3班", "高中一年级", "高中一年级(3)班", 10),
        ("24级3班", "三年级", "2024级(3)班", 3),
        ("2024级(3)班", "高三", "2024级(3)班", 12),
        ("初2024级3班", "", "初2024级(3)班", 9),
        ("高2025级3班", "", "高2025级(3)班", 11),
        ("实验班", "高一", "高一实验班", 10),
        ("高一实验1班", "", "高一实验1班", 10),
        ("Grade 7 Class 2", "", "七年级(2)班", 7),
    ],
)
def test_grade_and_class(written: str, grade: str, name: str, number: int) -> None:
    assert _read(written, grade) == (name, number)


@pytest.mark.parametrize(
    ("written", "stage", "entered", "name", "number"),
    [
        ("2024级3班", "初中", "", "2024级(3)班", 9),
        ("202403", "初中", "", "2024级(3)班", 9),
        ("2403", "高中", "", "2024级(3)班", 12),
        ("2027届3班", "高中", "", "2027届(3)班", 12),
        ("2029届3班", "初中", "", "2029届(3)班", 7),
        ("12", "初中", "202409", "2024级(12)班", 9),
        ("3班", "小学", "2021-09", "2021级(3)班", 6),
    ],
)
def test_those_who_came_in_a_year(
    written: str, stage: str, entered: str, name: str, number: int
) -> None:
    assert _read(written, "", stage, entered) == (name, number)


def test_a_school_of_one_stage_needs_no_stage() -> None:
    assert read_homeroom("2025级1班", "", "", "", JUNIOR).grade == 8


def test_where_primary_school_has_five_years() -> None:
    school = School(2026, first_grades=(6,), junior_from=6)
    assert read_homeroom("初四1班", "", "", "", school).grade == 9
    assert read_homeroom("2026级1班", "", "初中", "", school).grade == 6


@pytest.mark.parametrize(
    ("written", "grade", "kind"),
    [
        ("", "", Kind.HOMEROOM_MISSING),
        ("初一", "", Kind.HOMEROOM_MISSING),
        ("七年级", "七年级", Kind.HOMEROOM_MISSING),
        ("2024级3班", "", Kind.HOMEROOM_GRADE_UNCLEAR),
        ("12班", "", Kind.HOMEROOM_GRADE_UNCLEAR),
        ("3", "", Kind.HOMEROOM_GRADE_UNCLEAR),
        ("十十", "", Kind.HOMEROOM_GRADE_UNCLEAR),
        ("3", "0", Kind.HOMEROOM_GRADE_UNCLEAR),
        ("6.1", "六年级", Kind.HOMEROOM_GRADE_UNCLEAR),
        ("2026-06-02", "六年级", Kind.HOMEROOM_GRADE_UNCLEAR),
        ("初四1班", "", Kind.HOMEROOM_GRADE_OUTSIDE),
        ("高2020级1班", "", Kind.HOMEROOM_GRADE_OUTSIDE),
        ("八年级2班", "七年级", Kind.HOMEROOM_CONTRADICTS),
        ("0703", "八年级", Kind.HOMEROOM_CONTRADICTS),
        ("班" * 50, "七年级", Kind.HOMEROOM_TOO_LONG),
    ],
)
def test_what_is_not_certain_is_refused(written: str, grade: str, kind: Kind) -> None:
    with pytest.raises(HomeroomError) as raised:
        _read(written, grade)
    assert raised.value.kind is kind


_SIGNS = st.text("一二三十百高初小0123456789年级届班()（）- .", max_size=10)


@given(written=_SIGNS | st.text(max_size=20), grade=_SIGNS | st.text(max_size=8))
def test_any_text_is_read_or_refused(written: str, grade: str) -> None:
    try:
        room = read_homeroom(written, grade, "", "", ALL)
    except HomeroomError:
        return
    assert 1 <= room.grade <= 12
    assert room.name


@given(grade=st.integers(1, 12), number=st.integers(1, 40))
def test_a_name_that_was_made_is_read_as_itself(grade: int, number: int) -> None:
    room = read_homeroom(f"{grade:02}{number:02}", "", "", "", ALL)
    assert (room.grade, room.number) == (grade, number)
    assert read_homeroom(room.name, "", "", "", ALL) == room
