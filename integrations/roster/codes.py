"""Values of the register's code columns: the name or the code is accepted, and gives the name.

Sex: GB/T 2261.1-2003. Nations: GB/T 3304-1991 with the three that JY/T 1001-2012 adds. Relations:
GB/T 4761-2008. Regions: GB/T 2260, as python-stdnum has them. The rest: JY/T 1001-2012.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct
from stdnum import numdb


class CodeTable(Struct, frozen=True):
    """One table: every code and every way of writing a name → the name."""

    title: str
    by_code: Mapping[str, str]
    by_name: Mapping[str, str]

    def read(self, written: str) -> str | None:
        """The name; None for what is neither a name nor a code, or a code with another's name.

        Takes what lists of sheets offer as well: `51-父亲`, `父亲(51)`.
        """
        text = _plain(written)
        found = self._read_alone(text)
        if found is not None:
            return found
        parts = _CODE_FIRST.fullmatch(text) or _NAME_FIRST.fullmatch(text)
        if parts is None:
            return None
        name = self.by_name.get(parts["name"])
        return name if name is not None and name == self._by_code(parts["code"]) else None

    def and_words(self, words: Mapping[str, str]) -> "CodeTable":
        """The table with a school's own words for its names."""
        if not words:
            return self
        return CodeTable(
            self.title, self.by_code, {**self.by_name, **{_plain(w): n for w, n in words.items()}}
        )

    def _read_alone(self, text: str) -> str | None:
        found = self.by_name.get(text)
        return found if found is not None else self._by_code(text)

    def _by_code(self, code: str) -> str | None:
        return self.by_code.get(code.lstrip("0") or "0")


_CODE_FIRST: Final = re.compile(r"(?P<code>[0-9a-z]{1,3})[-—:、.]?(?P<name>\D+)")
_NAME_FIRST: Final = re.compile(r"(?P<name>\D+?)[-(:](?P<code>[0-9a-z]{1,3})\)?")


def _plain(written: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", written)).casefold()


def _table(title: str, names: Mapping[str, str], synonyms: Iterable[tuple[str, str]]) -> CodeTable:
    """`names`: codes → names. `synonyms`: a name, and what else it is called."""
    by_name = {_plain(name): name for name in names.values()}
    for name, others in synonyms:
        by_name |= {_plain(other): name for other in others.split()}
    return CodeTable(
        title, {code.lstrip("0") or "0": name for code, name in names.items()}, by_name
    )


SEX: Final = _table(
    "GB/T 2261.1",
    {"0": "未知", "1": "男", "2": "女", "9": "未知"},
    [
        ("男", "男 男性 男生 m male boy"),
        ("女", "女 女性 女生 f female girl"),
        ("未知", "未知的性别 未说明的性别 未说明 不详 unknown"),
    ],
)

_RELATIONS: Final = {
    "1": "本人", "2": "户主",
    "51": "父亲", "52": "母亲", "57": "继父或养父", "58": "继母或养母", "59": "其他父母关系",
    "61": "祖父", "62": "祖母", "63": "外祖父", "64": "外祖母",
    "66": "曾祖父", "67": "曾祖母", "69": "其他祖父母关系",
    "71": "哥哥", "72": "嫂子", "73": "弟弟", "74": "弟媳", "75": "姐姐", "76": "姐夫",
    "77": "妹妹", "78": "妹夫", "79": "其他兄弟姐妹",
    "81": "伯父", "82": "伯母", "83": "叔父", "84": "婶母", "85": "舅父", "86": "舅母",
    "87": "姨父", "88": "姨母", "89": "姑父", "90": "姑母", "97": "其他亲属", "99": "非亲属",
}  # fmt: skip
RELATION: Final = _table(
    "GB/T 4761",
    _RELATIONS,
    [
        ("父亲", "父 爸 爸爸 父子 父女 生父 father dad"),
        ("母亲", "母 妈 妈妈 母子 母女 生母 mother mum mom"),
        ("继父或养父", "继父 养父 stepfather"),
        ("继母或养母", "继母 养母 stepmother"),
        ("祖父", "爷爷 祖孙(祖父)"),
        ("祖母", "奶奶"),
        ("外祖父", "外公 姥爷 老爷"),
        ("外祖母", "外婆 姥姥"),
        ("哥哥", "兄 哥"),
        ("姐姐", "姐"),
        ("弟弟", "弟"),
        ("妹妹", "妹"),
        ("嫂子", "嫂 嫂嫂"),
        ("叔父", "叔 叔叔"),
        ("婶母", "婶 婶婶 婶子"),
        ("伯父", "伯伯 大伯"),
        ("伯母", "大妈"),
        ("舅父", "舅 舅舅"),
        ("舅母", "舅妈"),
        ("姨父", "姨夫"),
        ("姨母", "姨 阿姨 姨妈"),
        ("姑父", "姑夫 姑丈"),
        ("姑母", "姑 姑姑 姑妈"),
        ("其他亲属", "亲属 亲戚 relative"),
        ("非亲属", "其他 其它 监护人 家长 法定监护人 其他监护人 老师 other guardian"),
    ],
)

_NATIONS_IN_ORDER: Final = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 "
    "傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 "
    "毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 "
    "塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺"
)
_NATIONS: Final = _NATIONS_IN_ORDER.split()
NATION: Final = _table(
    "GB/T 3304",
    {str(code): f"{name}族" for code, name in enumerate(_NATIONS, 1)}
    | {"57": "穿青人族", "58": "其他", "59": "外国血统中国籍人士", "97": "其他"}
    | {"98": "外国血统中国籍人士"},
    [
        *((f"{name}族", name) for name in _NATIONS),
        ("毛南族", "毛难族 毛难"),
        ("穿青人族", "穿青人 穿青"),
        ("其他", "其它 未识别民族 未定族称人口"),
        ("外国血统中国籍人士", "外国血统 入籍"),
    ],
)

PAPER: Final = _table(
    "JY/T 1001 SFZJLX",
    {
        "1": "居民身份证", "2": "军官证", "3": "士兵证", "4": "文职干部证", "5": "部队离退休证",
        "6": "香港特区护照/身份证明", "7": "澳门特区护照/身份证明",
        "8": "台湾居民来往大陆通行证", "9": "境外永久居住证", "A": "护照", "B": "户口簿",
        "Z": "其他",
    }
    | {"a": "护照", "b": "户口簿", "z": "其他"},
    [
        ("居民身份证", "身份证 二代身份证 居民身份证(户口簿) idcard"),
        ("户口簿", "户口本 户口"),
        ("港澳台居民居住证", "港澳台居民居住证 港澳居民居住证 台湾居民居住证 居住证"),
        ("港澳居民来往内地通行证", "港澳居民来往内地通行证 回乡证 港澳通行证"),
        ("台湾居民来往大陆通行证", "台胞证"),
        ("护照", "passport 外国护照"),
        ("境外永久居住证", "外国人永久居留身份证 外国人永久居留证"),
        ("香港特区护照/身份证明", "香港特区护照 香港护照 香港身份证"),
        ("澳门特区护照/身份证明", "澳门特区护照 澳门护照 澳门身份证"),
        ("其他", "其它 其他证件"),
    ],
)  # fmt: skip
CHECKED_PAPERS: Final = frozenset({"居民身份证", "户口簿", "港澳台居民居住证"})
"""Papers whose numbers have the form of GB 11643."""

YES_NO: Final = _table(
    "JY/T 1001 SFBZ",
    {"0": "否", "1": "是"},
    [("是", "y yes true 有 √ ✓ 对 t"), ("否", "n no false 无 × f 不是")],
)
LODGING: Final = _table(
    "JY/T 1001 JDFS",
    {"1": "走读", "2": "住校", "3": "借宿", "9": "其他"},
    [
        (
            "走读",
            "走读生 走读(不住校) 不住校 不寄宿 非住校 非寄宿 通校 通校生 day dayschool dayboy",
        ),
        ("住校", "住校生 住宿 住宿生 寄宿 寄宿生 住读 住读生 内宿 内宿生 boarding boarder"),
        ("借宿", "借宿生"),
        ("其他", "其它"),
    ],
)
STATUS: Final = _table(
    "JY/T 1001 XSDQZT",
    {"1": "在读", "2": "休学", "3": "退学", "4": "停学", "6": "转出", "7": "毕业", "8": "结业"},
    [
        ("在读", "在校 在籍 正常 就读 在学 复学 转入 active enrolled studying"),
        ("休学", "休学中 suspended"),
        ("停学", "停课 保留学籍"),
        ("转出", "转学 已转出 转学(转出) transferred"),
        ("退学", "已退学 离校 注销 开除 死亡 自动退学 left withdrawn"),
        ("毕业", "已毕业 graduated"),
        ("结业", "肄业"),
    ],
)
HEALTH: Final = _table(
    "GB/T 2261.3",
    {"1": "健康或良好", "2": "一般或较弱", "3": "有慢性病", "6": "残疾", "10": "健康或良好"},
    [("健康或良好", "健康 良好"), ("一般或较弱", "一般 较弱"), ("有慢性病", "慢性病")],
)
FROM_OUTSIDE: Final = _table(
    "JY/T 1001 GATQW",
    {
        "1": "香港同胞", "2": "香港同胞亲属", "3": "澳门同胞", "4": "澳门同胞亲属", "5": "台湾同胞",
        "6": "台湾同胞亲属", "11": "华侨", "12": "侨眷", "13": "归侨", "14": "归侨子女",
        "21": "归国留学人员", "31": "非华裔中国人", "41": "外籍华裔人", "51": "外国人",
        "99": "其他",
    },
    [("其他", "否 0 00 其它"), ("香港同胞", "香港"), ("澳门同胞", "澳门"), ("台湾同胞", "台湾")],
)  # fmt: skip
BLOOD: Final = _table(
    "JY/T 1001 XX",
    {
        "0": "未知血型", "1": "A血型", "2": "B血型", "3": "AB血型", "4": "O血型",
        "5": "RH阳性血型", "6": "RH阴性血型", "7": "HLA血型", "8": "未定血型", "9": "其他血型",
    },
    [
        ("A血型", "a a型"),
        ("B血型", "b b型"),
        ("AB血型", "ab ab型"),
        ("O血型", "o o型"),
        ("未知血型", "未知 不详"),
        ("其他血型", "其他 其它"),
    ],
)  # fmt: skip


@lru_cache(maxsize=8192)
def read_region(written: str) -> str | None:
    """The name of a region by its code of six digits, or of more for a place within it.

    A name stays what it is. None: no region has the code.
    """
    text = _plain(written)
    if not text.isdigit():
        return text or None
    if len(text) not in {6, 9, 12} or not text.isascii():
        return None
    known = {
        name: value
        for _, found in numdb.get("cn/loc").info(text[:6])
        for name, value in found.items()
    }
    if "county" not in known:
        return None
    county = re.sub(r"\[[\d-]*\]", "", known["county"].split(",")[-1])
    return known["province"] if text[2:6] == "0000" else known["province"] + county
