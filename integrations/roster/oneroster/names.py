"""Names between one string, as Chinese schools write them, and OneRoster's parts of a name."""

from typing import Final

from integrations.roster.names import clean_name

_COMPOUND_IN_A_ROW: Final = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠公孙"
    "慕容仲孙钟离长孙宇文司徒鲜于司空闾丘子车亓官司寇巫马公西颛孙壤驷公良漆雕乐正宰父谷梁拓跋夹谷"
    "轩辕令狐段干百里呼延东郭南门羊舌微生梁丘左丘西门第五南荣东里东宫仲长即墨达奚褚师纳兰归海"
)
_COMPOUND: Final = frozenset(
    _COMPOUND_IN_A_ROW[i : i + 2] for i in range(0, len(_COMPOUND_IN_A_ROW), 2)
)
"""Family names of two characters."""


def split_name(name: str) -> tuple[str, str]:
    """Family name and given name; both have something in them if the name does."""
    if " " in name:
        given, _, family = name.rpartition(" ")
        return family, given
    if "·" in name:
        # The first part is the own name in Uyghur, Kazakh and Tibetan names.
        given, _, family = name.partition("·")
        return (family, given) if given and family else (name, name)
    if len(name) < 2 or not _is_han(name):
        return name, name
    length = 2 if len(name) > 2 and name[:2] in _COMPOUND else 1
    return name[:length], name[length:]


def join_name(family: str, given: str, middle: str = "", full: str = "") -> str:
    """The name in one string.

    A full name counts only as long as it splits into these very parts: somebody may have changed
    those alone.
    """
    if full and split_name(clean_name(full)) == (family, given):
        return clean_name(full)
    if _is_han(family + middle + given):
        return clean_name(family + middle + given)
    return clean_name(" ".join(part for part in (given, middle, family) if part))


def _is_han(name: str) -> bool:
    return bool(name) and all("\u2e80" <= c <= "\u9fff" or c in "·〇" or c > "\uf8ff" for c in name)
