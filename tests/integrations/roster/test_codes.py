"""Code columns hold names or codes; both give the name, and nothing else does."""

import pytest

from integrations.roster import codes
from integrations.roster.codes import CodeTable, read_region

TABLES = [
    codes.SEX,
    codes.RELATION,
    codes.NATION,
    codes.PAPER,
    codes.YES_NO,
    codes.LODGING,
    codes.STATUS,
    codes.HEALTH,
    codes.FROM_OUTSIDE,
    codes.BLOOD,
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_every_name_and_every_code_gives_the_name(table: CodeTable) -> None:
    for code, name in table.by_code.items():
        assert table.read(code) == name
        assert table.read(code.zfill(2)) == name
        assert table.read(f" {name} ") == name
        assert table.read(f"{code}-{name}") == name


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_what_is_neither_is_unknown(table: CodeTable) -> None:
    assert table.read("火星") is None
    assert table.read("0x77") is None


@pytest.mark.parametrize(
    ("table", "written", "name"),
    [
        (codes.SEX, "男生", "男"),
        (codes.SEX, "Ｆ", "女"),
        (codes.SEX, "1-男", "男"),
        (codes.SEX, "男(1)", "男"),
        (codes.SEX, "2-男", None),
        (codes.RELATION, "51-父亲", "父亲"),
        (codes.RELATION, "52-父亲", None),
        (codes.RELATION, "爷爷", "祖父"),
        (codes.RELATION, "母女", "母亲"),
        (codes.NATION, "壮", "壮族"),
        (codes.NATION, "36", "毛南族"),
        (codes.NATION, "毛难族", "毛南族"),
        (codes.PAPER, "A-护照", "护照"),
        (codes.LODGING, "住校生", "住校"),
    ],
)
def test_the_usual_writings(table: CodeTable, written: str, name: str | None) -> None:
    assert table.read(written) == name


def test_a_school_adds_its_own_words() -> None:
    table = codes.STATUS.and_words({"跟班": "在读"})
    assert table.read("跟班") == "在读"
    assert codes.STATUS.read("跟班") is None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("330106", "浙江省西湖区"),
        ("330000", "浙江省"),
        ("330106001002", "浙江省西湖区"),
        ("浙江省杭州市", "浙江省杭州市"),
        ("999999", None),
        ("3301", None),
    ],
)
def test_regions(written: str, name: str | None) -> None:
    assert read_region(written) == name
