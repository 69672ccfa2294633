"""Rows become people; each fault is said where it stands, and stops what it must stop."""

from datetime import date

import pytest

from integrations.roster.kinds import Kind
from integrations.roster.protocol import Finding, Roster, Severity, Sex, Status
from integrations.roster.sheets.columns import mapping_of, propose
from integrations.roster.sheets.fields import Field, Target
from integrations.roster.sheets.files import Table, read_table
from integrations.roster.sheets.homerooms import School
from integrations.roster.sheets.students import SheetOptions, read_roster
from tests.integrations.roster.sheets.writing import Cells, write_text, write_xlsx

OPTIONS = SheetOptions(School(2026))
BOY = "33010620130501101X"
GIRL = "330106201306021025"
"""Made-up numbers with right last characters."""


def _table(rows: Cells) -> Table:
    return read_table(write_xlsx(rows), "名册.xlsx")


def _read(rows: Cells, options: SheetOptions = OPTIONS) -> Roster:
    table = _table(rows)
    return read_roster(table, mapping_of(propose(table.header)), options)


def _kinds(roster: Roster) -> list[tuple[int | None, str]]:
    return [(finding.line, finding.kind) for finding in roster.findings]


def _one(**cells: str) -> Roster:
    """The roster of one student with these further columns."""
    given = {"学号": "1", "姓名": "张三", "班级": "七年级(3)班"} | cells
    return _read([[*given], [*given.values()]])


def test_a_row_of_the_register_becomes_a_student() -> None:
    roster = _one(
        学号="２０２４０００１",
        姓名="张　三",
        班级="0703",
        性别="1-男",
        出生日期="2013.5.1",
        身份证件号=BOY,
        学籍号=f"g{BOY}",
        就读方式="住校生",
        学籍状态="在校",
        卡号="04:A2:3B:C4",
    )
    [student] = roster.students
    assert roster.findings == ()
    assert (student.number, student.name, student.homeroom) == ("20240001", "张三", "七年级(3)班")
    assert (student.sex, student.born_on) == (Sex.MALE, date(2013, 5, 1))
    assert (student.identity, student.registry) == (BOY, f"G{BOY}")
    assert (student.status, student.is_boarding) == (Status.ENROLLED, True)
    assert (student.card_number, student.guardians) == ("04:A2:3B:C4", None)
    assert [(room.name, room.grade) for room in roster.homerooms] == [("七年级(3)班", 7)]
    assert (roster.school_year, roster.is_whole, roster.source) == (2026, True, "sheet")


def test_what_is_not_said_stays_open() -> None:
    [student] = _one(性别="", 出生日期="", 身份证件号="无", 就读方式="-", 学籍状态="").students
    assert (student.sex, student.born_on, student.identity) == (None, None, None)
    assert (student.is_boarding, student.status, student.guardians) == (None, None, None)


def test_birth_date_and_sex_come_from_the_identity_number() -> None:
    [student] = _one(身份证件号=GIRL).students
    assert (student.sex, student.born_on) == (Sex.FEMALE, date(2013, 6, 2))


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"学号": ""}, Kind.NUMBER_MISSING),
        ({"学号": "1 2 号！"}, Kind.NUMBER_SHAPE),
        ({"学号": "4.40308E+17"}, Kind.NUMBER_LOST_DIGITS),
        ({"学号": f"G{BOY}"}, Kind.NUMBER_IS_IDENTITY),
        ({"学号": BOY[:-1] + "0"}, Kind.NUMBER_IS_IDENTITY),
        ({"姓名": ""}, Kind.NAME_MISSING),
        ({"姓名": "张" * 121}, Kind.NAME_TOO_LONG),
        ({"姓名": "张\ufffd"}, Kind.NAME_LOST),
        ({"班级": ""}, Kind.HOMEROOM_MISSING),
        ({"班级": "3班"}, Kind.HOMEROOM_GRADE_UNCLEAR),
        ({"出生日期": "2013-02-30"}, Kind.DATE_INVALID),
        ({"身份证件号": BOY[:-1] + "0"}, Kind.IDENTITY_CHECKSUM),
        ({"身份证件号": "1.2E+09"}, Kind.NUMBER_LOST_DIGITS),
        ({"卡号": "1.2E+09"}, Kind.NUMBER_LOST_DIGITS),
        ({"卡号": "卡一"}, Kind.CARD_SHAPE),
        ({"家长电话": "1.38E+10"}, Kind.NUMBER_LOST_DIGITS),
    ],
)
def test_an_error_says_its_row_and_keeps_the_row_out(cells: dict[str, str], kind: Kind) -> None:
    roster = _one(**cells)
    assert _kinds(roster) == [(2, kind)]
    assert roster.has_errors
    assert roster.students == ()
    assert roster.findings[0].file == "名册.xlsx"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ({"姓名": "张三2"}, Kind.NAME_ODD),
        ({"出生日期": "2013-05"}, Kind.DATE_UNCLEAR),
        ({"出生日期": "1913-05-01"}, Kind.BORN_UNLIKELY),
        ({"出生日期": "2013-05-02", "身份证件号": BOY}, Kind.IDENTITY_OTHER_BIRTH),
        ({"性别": "女", "身份证件号": BOY}, Kind.IDENTITY_OTHER_SEX),
        ({"性别": "雄"}, Kind.CODE_UNKNOWN),
        ({"民族": "火星族"}, Kind.CODE_UNKNOWN),
        ({"户口所在地行政区划": "999999"}, Kind.CODE_UNKNOWN),
        ({"学籍状态": "云游"}, Kind.CODE_UNKNOWN),
        ({"学籍号": "?"}, Kind.REGISTRY_SHAPE),
        ({"家长电话": "123"}, Kind.PHONE_INVALID),
        ({"家长姓名": "李四"}, Kind.GUARDIAN_NO_PHONE),
        ({"家长姓名": "李四", "家长电话": "0571-88888888"}, Kind.PHONE_NO_MESSAGES),
        ({"家长电话": "13800138000"}, Kind.GUARDIAN_UNNAMED),
        ({"心理测评": "好"}, Kind.COLUMN_UNKNOWN),
    ],
)
def test_a_warning_leaves_the_student_in(cells: dict[str, str], kind: Kind) -> None:
    roster = _one(**cells)
    assert [finding.kind for finding in roster.findings] == [kind]
    assert not roster.has_errors
    assert len(roster.students) == 1


def test_personal_numbers_are_masked_in_findings() -> None:
    for cells in ({"身份证件号": BOY[:-1] + "0"}, {"学号": BOY}, {"家长电话": "138001380001"}):
        [finding] = _one(**cells).findings
        assert "*" in finding.value
        assert next(iter(cells.values())) not in finding.value


def test_a_passport_is_taken_where_the_sheet_says_that_it_is_one() -> None:
    [student] = _one(身份证件类型="A-护照", 身份证件号="e12345678").students
    assert student.identity == "E12345678"
    assert _kinds(_one(身份证件号="e12345678")) == [(2, Kind.IDENTITY_LENGTH)]


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("学号", ("a1", "A1"), Kind.NUMBER_TWICE),
        ("身份证件号", (BOY, BOY), Kind.IDENTITY_TWICE),
        ("学籍号", (f"G{BOY}", f"G{BOY}"), Kind.REGISTRY_TWICE),
        ("卡号", ("04A23BC4", "04a23bc4"), Kind.CARD_TWICE),
    ],
)
def test_a_value_that_two_have_names_both_rows(
    column: str, values: tuple[str, str], kind: Kind
) -> None:
    header = dict.fromkeys(["学号", "姓名", "班级", column])
    rows = [{"学号": str(n), "姓名": "张三", "班级": "0703"} for n in range(2)]
    cells = [
        [(row | {column: value})[name] for name in header]
        for row, value in zip(rows, values, strict=True)
    ]
    roster = _read([[*header], *cells])
    [finding] = roster.findings
    assert (finding.kind, finding.line, finding.expected) == (kind, 3, "2")
    assert roster.students == ()


def test_one_homeroom_in_several_writings_is_one() -> None:
    classes = ["初一(2)班", "七年级2班", "0702", "初一（02）班"]
    rows = [[str(n), "张三", written] for n, written in enumerate(classes)]
    roster = _read([["学号", "姓名", "班级"], *rows])
    assert [room.name for room in roster.homerooms] == ["初一(2)班"]
    assert {student.homeroom for student in roster.students} == {"初一(2)班"}


def test_two_homerooms_of_one_name_are_told_apart() -> None:
    rows = [["1", "张三", "0701", "东"], ["2", "李四", "0701", "西"]]
    roster = _read([["学号", "姓名", "班级", "校区"], *rows])
    assert [(r.name, r.campus) for r in roster.homerooms] == [
        ("东七年级(1)班", "东"),
        ("西七年级(1)班", "西"),
    ]
    rows = [["1", "张三", "2024级1班", "小学"], ["2", "李四", "2024级1班", "高中"]]
    roster = _read([["学号", "姓名", "班级", "学段"], *rows])
    assert len({room.name for room in roster.homerooms}) == 2


def test_missing_columns_are_said_and_nobody_is_read() -> None:
    table = _table([["学号", "姓名", "班级"], ["1", "张三", "0703"]])
    roster = read_roster(table, (Target(Field.NUMBER), None, Target(Field.NUMBER)), OPTIONS)
    assert [(f.kind, f.expected) for f in roster.findings if f.line is None] == [
        (Kind.COLUMN_MISSING, "name"),
        (Kind.COLUMN_MISSING, "homeroom"),
    ]
    assert Kind.COLUMN_TWICE in {finding.kind for finding in roster.findings}
    assert roster.students == ()


def test_a_mapping_that_a_person_gave_counts() -> None:
    table = _table([["学号", "姓名", "班级", "备用"], ["1", "张三", "0703", "2"]])
    mapping = (None, Target(Field.NAME), Target(Field.HOMEROOM), Target(Field.NUMBER))
    assert read_roster(table, mapping, OPTIONS).students[0].number == "2"


def test_own_words_are_understood() -> None:
    options = SheetOptions(School(2026), words={Field.STATUS: {"云游": "休学"}})
    rows = [["学号", "姓名", "班级", "学籍状态"], ["1", "张三", "0703", "云游"]]
    assert _read(rows, options).students[0].status is Status.SUSPENDED


def test_many_alike_are_one_finding_with_their_number() -> None:
    rows = [[str(n), "张三", "0703", "火星族"] for n in range(30)]
    [finding] = _read([["学号", "姓名", "班级", "民族"], *rows]).findings
    assert finding == Finding(
        Kind.CODE_UNKNOWN, Severity.WARNING, "名册.xlsx", 2, "民族", "火星族", "30"
    )


def test_numbered_rows_of_a_form_are_nobody() -> None:
    rows = [["1", "1", "张三", "0703"], ["2", "", "", ""], ["3", "", "", ""]]
    roster = _read([["序号", "学号", "姓名", "班级"], *rows])
    assert len(roster.students) == 1
    assert roster.findings == ()


def test_lines_are_those_of_the_spreadsheet() -> None:
    text = '校名\n\n学号,姓名,班级\n1,"张\n三",0703\n\n2,,0703\n'
    table = read_table(text.encode("utf-8-sig"), "a.csv")
    roster = read_roster(table, mapping_of(propose(table.header)), OPTIONS)
    assert [student.line for student in roster.students] == [4]
    assert _kinds(roster) == [(6, Kind.NAME_MISSING)]


def test_a_csv_that_a_spreadsheet_has_spoilt_is_refused_by_row() -> None:
    rows = [["学号", "姓名", "班级", "身份证件号"], ["1", "张三", "0703", "3.30106E+17"]]
    table = read_table(write_text(rows, "gbk"), "a.csv")
    roster = read_roster(table, mapping_of(propose(table.header)), OPTIONS)
    assert _kinds(roster) == [(2, Kind.NUMBER_LOST_DIGITS)]
    spoilt: Cells = [rows[0], ["1", "张三", "0703", 330106201305011011]]
    assert _kinds(_read(spoilt)) == [(2, Kind.NUMBER_LOST_DIGITS)]
