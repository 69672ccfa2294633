"""Topics come back as they went, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.topics import CODE, ROOT, Kind, Topic, every_reader, parse_topic

_codes = st.from_regex(CODE, fullmatch=True)


@given(_codes, _codes, st.sampled_from(Kind))
def test_a_topic_comes_back_as_it_went(school: str, reader: str, kind: Kind) -> None:
    topic = Topic(school, reader, kind)
    assert str(topic) == f"campus/v1/{school}/{reader}/{kind.value}"
    assert parse_topic(str(topic)) == topic


@pytest.mark.parametrize(
    "text",
    [
        "",
        "campus/v1/no1/gate",
        "campus/v1/no1/gate/tap/more",
        "campus/v1/no1/gate/TAP",
        "campus/v1/no1/gate/taps",
        "campus/v2/no1/gate/tap",
        "/campus/v1/no1/gate/tap",
        "campus/v1//gate/tap",
        "campus/v1/no1/Gate/tap",
        "campus/v1/no1/-gate/tap",
        "campus/v1/no1/gate\n/tap",
        "campus/v1/no1/+/tap",
        "campus/v1/#",
        "campus/v1/no1/" + "g" * 33 + "/tap",
        "campus/v1/学校/gate/tap",
        "$SYS/broker/uptime",
    ],
)
def test_what_is_no_topic_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_topic(text)


@given(st.text(max_size=60))
def test_any_text_is_a_topic_of_ours_or_refused(text: str) -> None:
    try:
        topic = parse_topic(text)
    except ValueError:
        return
    assert str(topic) == text


@pytest.mark.parametrize("kind", Kind)
def test_the_filter_for_all_readers_has_a_level_for_school_and_reader(kind: Kind) -> None:
    assert every_reader(kind).split("/") == [*ROOT.split("/"), "+", "+", kind.value]
