"""Columns are recognised by their names, in any order, with slips of the pen; never by guessing."""

import random

import pytest

from integrations.roster.sheets.columns import (
    Sureness,
    edit_distance,
    fingerprint,
    mapping_of,
    missing,
    propose,
    twice,
)
from integrations.roster.sheets.fields import NAMES, Field, Target, plain, read_target

_NATIONAL = (
    "学校标识码 姓名 性别 出生日期 出生地行政区划代码 籍贯 民族 国籍/地区 身份证件类型 港澳台侨外 "
    "健康状况 政治面貌 身份证件号 户口性质 户口所在地行政区划 班号 入学年月 入学方式 就读方式 "
    "现住址 通信地址 家庭地址 联系电话 邮政编码 是否独生子女 是否受过学前教育 是否留守儿童 "
    "是否需要申请资助 是否享受一补 是否孤儿 是否烈士或优抚子女 上下学距离 上下学方式 "
    "是否需要乘坐校车 曾用名 身份证件有效期 血型 特长 学籍辅号 班内学号 学生来源 电子信箱 "
    "主页地址 残疾类型 是否由政府购买学位 随班就读 成员1姓名 成员1关系 成员1关系说明 "
    "成员1现住址 成员1户口所在地行政区划 成员1联系电话 成员1是否监护人 成员1身份证件类型 "
    "成员1身份证件号 成员1民族 成员1工作单位 成员1职务 成员2姓名 成员2关系 成员2关系说明 "
    "成员2现住址 成员2户口所在地行政区划 成员2联系电话 成员2是否监护人 成员2身份证件类型 "
    "成员2身份证件号 成员2民族 成员2工作单位 成员2职务 是否进城务工人员随迁子女"
)
NATIONAL = _NATIONAL.split()
"""The header of the national sheet 全国中小学学籍管理系统学生基本信息表."""
USED = {
    "姓名": "name",
    "性别": "sex",
    "出生日期": "born_on",
    "身份证件类型": "paper",
    "身份证件号": "identity",
    "班号": "homeroom",
    "入学年月": "entered",
    "就读方式": "lodging",
    "联系电话": "phone",
    "学籍辅号": "number",
    "民族": "nation",
    "成员1姓名": "guardian_name:1",
    "成员1关系": "guardian_relation:1",
    "成员1联系电话": "guardian_phone:1",
    "成员2姓名": "guardian_name:2",
    "成员2是否监护人": "guardian_is_one:2",
}


def _keys(header: list[str]) -> dict[str, str]:
    return {one.header: one.target.key if one.target else "" for one in propose(header)}


def test_every_column_of_the_national_sheet_is_known() -> None:
    assert len(NATIONAL) == 71
    keys = _keys(NATIONAL)
    assert [name for name, key in keys.items() if not key] == []
    assert {name: keys[name] for name in USED} == USED
    assert missing(mapping_of(propose(NATIONAL))) == []


@pytest.mark.parametrize("seed", range(5))
def test_order_missing_and_further_columns_change_nothing(seed: int) -> None:
    chance = random.Random(seed)
    header = [*chance.sample(NATIONAL, 50), "心理测评", "学生会职务"]
    chance.shuffle(header)
    keys = _keys(header)
    assert {name: keys[name] for name in USED if name in header} == {
        name: key for name, key in USED.items() if name in header
    }
    assert keys["心理测评"] == keys["学生会职务"] == ""


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("学号", "number"),
        ("学生编号", "number"),
        ("校内学号", "number"),
        ("班级", "homeroom"),
        ("班级名称", "homeroom"),
        ("行政班", "homeroom"),
        ("家长电话", "guardian_phone:1"),
        ("监护人手机", "guardian_phone:1"),
        ("联系电话1", "guardian_phone:1"),
        ("联系电话2", "guardian_phone:2"),
        ("第二监护人电话", "guardian_phone:2"),
        ("监护人二姓名", "guardian_name:2"),
        ("家长姓名2", "guardian_name:2"),
        ("父亲", "guardian_name:father"),
        ("父亲电话", "guardian_phone:father"),
        ("母亲手机号码", "guardian_phone:mother"),
        ("母亲身份证号", "left_out"),
        ("班主任电话", "left_out"),
        ("学藉号", "registry"),
        ("Student ID", "number"),
        ("DATE OF BIRTH", "born_on"),
        ("Guardian 1 Phone", "guardian_phone:1"),
        ("姓　名", "name"),
        ("*姓名（必填）", "name"),
        ("出生日期(YYYYMMDD)", "born_on"),
        ("成员１姓名", "guardian_name:1"),
        ("一卡通号", "card"),
    ],
)
def test_the_names_that_vendors_use(header: str, key: str) -> None:
    [proposal] = propose([header])
    assert proposal.target is not None
    assert proposal.target.key == key
    assert proposal.sureness is Sureness.SURE


@pytest.mark.parametrize(
    ("header", "key"),
    [("出身日期", "born_on"), ("身份证件好", "identity"), ("成员2联系电活", "guardian_phone:2")],
)
def test_a_slip_of_the_pen_is_likely(header: str, key: str) -> None:
    [proposal] = propose([header])
    assert proposal.target is not None
    assert (proposal.target.key, proposal.sureness) == (key, Sureness.LIKELY)


@pytest.mark.parametrize("header", ["学生性名", "学", "成员9姓名", "备用", "", "xyz"])
def test_where_two_fit_or_none_nothing_is_proposed(header: str) -> None:
    [proposal] = propose([header])
    assert (proposal.target, proposal.sureness) == (None, Sureness.UNKNOWN)


def test_a_meaning_is_given_once_and_to_the_surest() -> None:
    first, second, third = propose(["出身日期", "出生日期", "生日"])
    assert first.target is None
    assert first.rival == 1
    assert second.target == Target(Field.BORN_ON)
    assert third.rival == 1


def test_a_number_of_the_register_serves_only_where_there_is_no_other() -> None:
    assert _keys(["学籍辅号", "学号"]) == {"学籍辅号": "left_out", "学号": "number"}
    [proposal] = propose(["学籍辅号"])
    assert (proposal.target, proposal.sureness) == (Target(Field.NUMBER), Sureness.LIKELY)


def test_own_names_come_first() -> None:
    own = {plain("内部码"): Target(Field.NUMBER)}
    assert propose(["内部码"], own)[0].target == Target(Field.NUMBER)


def test_a_mapping_is_remembered_by_the_header() -> None:
    assert fingerprint(["学号", "姓名"]) == fingerprint([" 学号", "姓　名*"])
    assert fingerprint(["学号", "姓名"]) != fingerprint(["姓名", "学号"])


def test_what_is_missing_and_what_is_there_twice() -> None:
    mapping = (Target(Field.NAME), None, Target(Field.NAME), Target(Field.LEFT_OUT))
    assert missing(mapping) == [Field.NUMBER, Field.HOMEROOM]
    assert twice((*mapping, Target(Field.LEFT_OUT))) == [2]


def test_keys_of_forms_are_read_strictly() -> None:
    for target in set(NAMES.values()):
        assert read_target(target.key) == target
    for key in ("", "nothing", "name:1", "guardian_name", "guardian_name:9", "guardian_name:"):
        with pytest.raises(ValueError, match=r"no such target|is not a valid Field"):
            read_target(key)


def test_the_distance_counts_a_swap_once() -> None:
    assert edit_distance("联系电话", "联系话电") == 1
    assert edit_distance("", "ab") == 2
    assert edit_distance("abc", "abd") == 1
