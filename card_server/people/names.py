"""People's names (姓名): how they are kept, and the pinyin by which they are found."""

from itertools import chain

from card_server.clean_text import clean
from card_server.field_errors import Problems
from card_server.field_errors import marked as _

_MOST = 120
_MOST_PINYIN = 200
_TWO_SIGNS: dict[str, tuple[str, ...]] = {
    "万俟": ("mo qi",),
    "单于": ("chan yu",),
    "夏侯": ("xia hou",),
    "宰父": ("zai fu",),
    "尉迟": ("yu chi",),
    "澹台": ("tan tai",),
    "皇甫": ("huang fu",),
    "长孙": ("zhang sun",),
    "鲜于": ("xian yu",),
}
_ONE_SIGN: dict[str, tuple[str, ...]] = {
    "乐": ("yue", "le"),
    "乜": ("nie",),
    "于": ("yu",),
    "仇": ("qiu",),
    "任": ("ren",),
    "会": ("gui",),
    "冼": ("xian",),
    "区": ("ou",),
    "单": ("shan",),
    "卜": ("bu",),
    "厘": ("xi",),
    "句": ("gou",),
    "召": ("shao",),
    "员": ("yun",),
    "哈": ("ha",),
    "娄": ("lou",),
    "宁": ("ning",),
    "宓": ("mi", "fu"),
    "尉": ("wei",),
    "尹": ("yin",),
    "应": ("ying",),
    "幺": ("yao",),
    "折": ("she",),
    "教": ("jiao",),
    "曲": ("qu",),
    "曾": ("zeng",),
    "朴": ("piao", "pu"),
    "查": ("zha",),
    "沈": ("shen",),
    "洗": ("xian",),
    "燕": ("yan",),
    "牟": ("mu", "mou"),
    "盖": ("ge", "gai"),
    "相": ("xiang",),
    "石": ("shi",),
    "祭": ("zhai",),
    "种": ("chong",),
    "秘": ("bi",),
    "纪": ("ji",),
    "缪": ("miao",),
    "翟": ("zhai", "di"),
    "能": ("nai",),
    "臧": ("zang",),
    "华": ("hua",),
    "葛": ("ge",),
    "褚": ("chu",),
    "覃": ("qin", "tan"),
    "解": ("xie",),
    "訾": ("zi",),
    "谌": ("chen", "shen"),
    "车": ("che",),
    "过": ("guo",),
    "逄": ("pang",),
    "那": ("na",),
    "郗": ("xi", "chi"),
    "都": ("du",),
    "重": ("chong",),
    "阚": ("kan",),
    "隗": ("wei", "kui"),
    "黑": ("he", "hei"),
    "麦": ("mai",),
}
"""Surnames that are read otherwise than the sign alone, the usual reading first.

Source: 现代汉语词典, 7th edition, entries marked 姓. Where families differ, each reading finds.
"""


def read_name(wrong: Problems, field: str, typed: str) -> str:
    """A name as it is kept: NFC, nothing that cannot be seen, and rare Han as it was written.

    Characters that this program's tables do not know yet stay: a name may be younger than they.
    """
    name = clean(typed)
    if not name:
        wrong.add(field, _("This must not be empty."))
    elif len(name) > _MOST:
        wrong.add(field, _("This may have 120 characters at most."))
    return name


def write_pinyin(name: str) -> str:
    """What a name is found by: syllables, the same joined, initials; of each way to read it."""
    ways = [[*surname, *_syllables(rest)] for surname, rest in _read_surname(name)]
    parts: list[str] = []
    for way in ways:
        parts += [" ".join(way), "".join(way), "".join(one[0] for one in way)]
    found = " ".join(dict.fromkeys(part for part in parts if part))
    return found[:_MOST_PINYIN]


def _read_surname(name: str) -> list[tuple[list[str], str]]:
    """The surname's syllables and the rest of the name, once for each way to read it."""
    readings, length = _TWO_SIGNS.get(name[:2]), 2
    if readings is None:
        readings, length = _ONE_SIGN.get(name[:1]), 1
    if readings is None:
        return [([], name)]
    return [(reading.split(), name[length:]) for reading in readings]


def _syllables(text: str) -> list[str]:
    """Pinyin without tones, in small letters and digits; foreign words stay whole.

    The dictionary is loaded here: it takes most of a second and 30 MB, and few write names.
    """
    from pypinyin import lazy_pinyin

    words = chain.from_iterable(part.lower().split() for part in lazy_pinyin(text))
    kept = ("".join(sign for sign in word if sign.isalnum()) for word in words)
    return [word for word in kept if word]
