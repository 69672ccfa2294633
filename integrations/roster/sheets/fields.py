"""What a column of a roster can mean, and by which names sheets call it.

The names of the national register are those of its sheet 全国中小学学籍管理系统学生基本信息表.
"""

import re
import unicodedata
from enum import StrEnum
from itertools import chain, product
from typing import Final

from msgspec import Struct


class Field(StrEnum):
    """What a column means."""

    NUMBER = "number"
    NAME = "name"
    SEX = "sex"
    BORN_ON = "born_on"
    GRADE = "grade"
    HOMEROOM = "homeroom"
    STAGE = "stage"
    """学段: 小学, 初中, 高中."""
    ENTERED = "entered"
    """入学年月: tells the grade of a class that is called by its number alone."""
    CAMPUS = "campus"
    STATUS = "status"
    LODGING = "lodging"
    """就读方式: 走读, 住校; or whether the student boards."""
    PAPER = "paper"
    IDENTITY = "identity"
    REGISTRY = "registry"
    CARD = "card"
    PHONE = "phone"
    """A number for the student, whoever answers it."""
    NATION = "nation"
    REGION = "region"
    HEALTH = "health"
    BLOOD = "blood"
    FROM_OUTSIDE = "from_outside"
    GUARDIAN_NAME = "guardian_name"
    GUARDIAN_RELATION = "guardian_relation"
    GUARDIAN_RELATION_NOTE = "guardian_relation_note"
    GUARDIAN_PHONE = "guardian_phone"
    GUARDIAN_IS_ONE = "guardian_is_one"
    """成员1是否监护人."""
    LEFT_OUT = "left_out"
    """Known, and not kept: the school has no use for it."""


REQUIRED: Final = (Field.NUMBER, Field.NAME, Field.HOMEROOM)
OF_GUARDIAN: Final = frozenset(
    {
        Field.GUARDIAN_NAME,
        Field.GUARDIAN_RELATION,
        Field.GUARDIAN_RELATION_NOTE,
        Field.GUARDIAN_PHONE,
        Field.GUARDIAN_IS_ONE,
    }
)
REPEATED: Final = frozenset({Field.LEFT_OUT, Field.REGION, Field.GUARDIAN_PHONE, Field.PHONE})
"""What several columns may mean at once."""
SLOTS: Final = ("1", "2", "3", "4", "5", "6", "father", "mother")
"""Which guardian of the row a column belongs to."""


class Target(Struct, frozen=True):
    """What one column means: a field and, for a guardian's, which guardian's."""

    field: Field
    slot: str = ""

    @property
    def key(self) -> str:
        """As it is stored and stands in forms: "name", "guardian_phone:2"."""
        return f"{self.field}:{self.slot}" if self.slot else self.field.value


def read_target(key: str) -> Target:
    """The target that has the key. Raises ValueError."""
    name, _, slot = key.partition(":")
    field = Field(name)
    if (slot in SLOTS) != (field in OF_GUARDIAN) or (slot and slot not in SLOTS):
        raise ValueError(f"no such target: {key[:40]!r}")
    return Target(field, slot)


def plain(header: str) -> str:
    """A header as it is compared: half-width, small letters, no blanks, marks or remarks."""
    text = unicodedata.normalize("NFKC", header).casefold()
    text = re.sub(r"\((?:必填|选填|必须|可选|可空|格式|如|例|yyyy|注|文本)[^)]*\)", "", text)
    return re.sub(r"[\s*#:：;。、，,.!'\"“”_\-—/\\()\[\]【】<>《》|]+", "", text)


_STUDENT: Final = {
    Field.NUMBER: (
        "学号 学生学号 校内学号 学生编号 学生号 本校学号 学生证号 校内编号 考号 "
        "studentnumber studentid studentno stuno stuid number"
    ),
    Field.NAME: "姓名 学生姓名 名字 学生名字 学生名称 中文姓名 name studentname fullname",
    Field.SEX: "性别 学生性别 性别码 性别代码 sex gender",
    Field.BORN_ON: (
        "出生日期 出生年月日 生日 出生时间 学生出生日期 出生年月 birthdate dateofbirth birthday dob"
    ),
    Field.GRADE: "年级 所在年级 年级名称 现年级 就读年级 年级代码 所属年级 grade gradelevel year",
    Field.HOMEROOM: (
        "班级 班级名称 行政班 行政班级 所在班级 班 班号 班级号 班级编号 班级代码 班名 "
        "所属班级 年级班级 年级班 现班级 就读班级 分班 class classname homeroom"
    ),
    Field.STAGE: "学段 学段名称 就读学段 学校类别 办学类型 stage schoolstage",
    Field.ENTERED: (
        "入学年月 入学年份 入学日期 入学时间 入学年度 入学年 级 级别 entryyear enrolmentyear"
    ),
    Field.CAMPUS: "校区 校区名称 所在校区 所属校区 campus",
    Field.STATUS: "学籍状态 学生状态 状态 在籍状态 在校状态 就读状态 学生当前状态 在读状态 status",
    Field.LODGING: (
        "就读方式 是否住校 是否住宿 住宿情况 住校情况 是否寄宿 寄宿情况 住宿方式 住宿类型 "
        "住宿 住校 是否寄宿生 是否住校生 走读住校 boarding"
    ),
    Field.PAPER: "身份证件类型 证件类型 证件类别 身份证件类型码 学生证件类型 身份证类型 idtype",
    Field.IDENTITY: (
        "身份证件号 身份证号 身份证号码 身份证件号码 证件号码 证件号 身份证 学生身份证号 "
        "学生身份证号码 学生身份证件号 公民身份号码 居民身份证号 idnumber idcard "
        "idcardnumber"
    ),
    Field.REGISTRY: (
        "学籍号 全国学籍号 学籍号码 国家学籍号 全国统一学籍号 学籍编号 学籍主号 "
        "registrynumber 学藉号"
    ),
    Field.CARD: (
        "卡号 一卡通号 校园卡号 一卡通卡号 物理卡号 卡片号 卡序列号 ic卡号 学生卡号 卡编号 "
        "校卡号 cardnumber cardno card cardid"
    ),
    Field.PHONE: (
        "联系电话 学生电话 学生联系电话 学生手机 联系方式 电话 手机 手机号 手机号码 "
        "联系手机 电话号码 移动电话 phone mobile telephone"
    ),
    Field.NATION: "民族 民族码 民族代码 学生民族 nation ethnicity",
    Field.REGION: "出生地行政区划代码 户口所在地行政区划 户口所在地行政区划码 出生地行政区划",
    Field.HEALTH: "健康状况 健康状况码",
    Field.BLOOD: "血型 血型码",
    Field.FROM_OUTSIDE: "港澳台侨外 港澳台侨外码",
    Field.LEFT_OUT: (
        "学校标识码 籍贯 国籍地区 国籍 国籍地区码 政治面貌 政治面貌码 户口性质 户口性质码 "
        "入学方式 入学方式码 现住址 通信地址 家庭地址 家庭住址 住址 地址 邮政编码 邮编 "
        "是否独生子女 独生子女 是否受过学前教育 是否留守儿童 是否需要申请资助 是否享受一补 "
        "是否孤儿 是否烈士或优抚子女 上下学距离 上下学方式 是否需要乘坐校车 曾用名 "
        "身份证件有效期 证件有效期 特长 班内学号 学生来源 学生来源码 电子信箱 电子邮箱 "
        "邮箱 email 主页地址 残疾类型 残疾类型码 是否由政府购买学位 随班就读 随班就读码 "
        "是否进城务工人员随迁子女 是否随迁子女 户口所在地 户籍所在地 户籍地址 出生地 序号 "
        "编号 行号 座号 座位号 班主任 班主任姓名 班主任电话 班主任手机 班主任联系电话 "
        "学校名称 学校 学校代码 备注 说明 照片 姓名拼音 英文姓名 年龄 总分 成绩 宿舍 "
        "宿舍号 床号 床位 楼栋 房间号 培养方式 录取号 准考证号 毕业学校 原学校 来源学校 "
        "毕业小学 毕业初中 科类 选科 任课教师 课程 学制 学年 学期 no index remarks note "
        "address schoolname"
    ),
}
_FALLBACKS: Final = {
    Field.NUMBER: "学籍辅号 学籍副号 辅号 学生辅号 校内学籍号 编码 学生编码",
}
"""What a field may stand under when nothing else in the sheet is it; a person confirms it."""

_HAN: Final = "一二三四五六"
_ENGLISH: Final = ("guardian", "parent", "contact")
_PEOPLE: Final = (
    "成员",
    "家庭成员",
    "监护人",
    "家长",
    "联系人",
    *_ENGLISH,
)
_FATHER: Final = ("父亲", "爸爸", "父", "学生父亲", "father", "dad")
_MOTHER: Final = ("母亲", "妈妈", "母", "学生母亲", "mother", "mum", "mom")
_ALONE: Final = (
    "监护人", "家长", "联系人", "成员", "家庭成员", "学生家长", "紧急联系人", "法定监护人",
    "第一联系人", "guardian", "parent", "emergencycontact", "contact",
)  # fmt: skip

_OF_GUARDIAN: Final = {
    Field.GUARDIAN_NAME: ("", "姓名", "名字", "名称", "name"),
    Field.GUARDIAN_RELATION: (
        "关系", "关系码", "与学生关系", "与本人关系", "与学生的关系", "称谓", "relation",
        "relationship",
    ),
    Field.GUARDIAN_RELATION_NOTE: ("关系说明",),
    Field.GUARDIAN_PHONE: (
        "电话", "联系电话", "手机", "手机号", "手机号码", "电话号码", "联系方式", "移动电话",
        "联系手机", "联系号码", "手机电话", "phone", "mobile", "tel", "phonenumber",
    ),
    Field.GUARDIAN_IS_ONE: ("是否监护人", "是否是监护人", "是否为监护人"),
    Field.LEFT_OUT: (
        "现住址", "户口所在地行政区划", "户口所在地", "身份证件类型", "证件类型", "身份证件号",
        "身份证件号码", "身份证号", "身份证号码", "证件号码", "证件号", "民族", "工作单位", "单位",
        "职务", "职业", "学历", "文化程度", "年龄", "地址", "住址", "政治面貌", "健康状况", "email",
        "邮箱", "微信", "微信号", "出生日期", "备注", "国籍",
    ),
}  # fmt: skip
_PHONES_NUMBERED: Final = ("联系电话", "电话", "手机", "手机号", "手机号码", "联系方式", "phone")


def _build_names() -> dict[str, Target]:
    names: dict[str, Target] = {}
    for field, written in _STUDENT.items():
        for name in written.split():
            names.setdefault(name, Target(field))
    for field, endings in _OF_GUARDIAN.items():
        for ending in endings:
            for slot, begin in _begins():
                target = Target(field, slot if field in OF_GUARDIAN else "")
                names.setdefault(begin + ending, target)
            for (number, han), who in product(enumerate(_HAN, 1), _PEOPLE):
                target = Target(field, str(number) if field in OF_GUARDIAN else "")
                for name in (f"{who}{ending}{number}", f"{who}{ending}{han}"):
                    names.setdefault(name, target)
    for number, word in product(range(1, 5), _PHONES_NUMBERED):
        names.setdefault(f"{word}{number}", Target(Field.GUARDIAN_PHONE, str(number)))
        names.setdefault(f"{word}{_HAN[number - 1]}", Target(Field.GUARDIAN_PHONE, str(number)))
    names["与学生关系"] = names["关系"] = Target(Field.GUARDIAN_RELATION, "1")
    names["第二联系人"] = Target(Field.GUARDIAN_NAME, "2")
    return names


def _begins() -> list[tuple[str, str]]:
    """Each slot with what the header of its columns begins with."""
    begins = [("father", who) for who in _FATHER] + [("mother", who) for who in _MOTHER]
    begins += [("1", who) for who in _ALONE]
    for (number, han), who in product(enumerate(_HAN, 1), _PEOPLE):
        begins += [(str(number), f"{who}{number}"), (str(number), f"{who}{han}")]
        begins += [(str(number), f"第{han}{who}"), (str(number), f"第{number}{who}")]
    return begins


NAMES: Final = _build_names()
"""Every plain header that is known → what it means."""
FALLBACKS: Final = {
    name: Target(field) for field, written in _FALLBACKS.items() for name in written.split()
}
WORDS: Final = frozenset(
    word
    for word in chain(*(written.split() for written in _STUDENT.values()), _FATHER, _MOTHER, _ALONE)
    if len(word) > 1 and not word.isascii()
)
"""What stands in sheets: tells the right encoding from a wrong one."""
