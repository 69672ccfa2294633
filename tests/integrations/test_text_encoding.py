"""An encoding is found only where it is certain."""

from pathlib import Path

import pytest

from integrations.text_encoding import EncodingError, EncodingFault, find_encoding

WORDS = {"姓名", "班级"}
TEXT = "姓名,班级\n张三,高一(3)班\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("is_file", [True, False])
def test_a_text_is_read_as_it_was_written(encoding: str, is_file: bool, tmp_path: Path) -> None:
    body = TEXT.encode(encoding)
    path = tmp_path / "roster.csv"
    path.write_bytes(body)
    found = find_encoding(path if is_file else body, None, WORDS)
    assert body.decode(found) == TEXT


@pytest.mark.parametrize(
    ("body", "named", "fault"),
    [
        (TEXT.encode(), "latin-1", EncodingFault.UNHEARD_OF),
        (TEXT.encode("gbk"), "utf-8", EncodingFault.WRONG),
        (b"\xff\xfe\x00", None, EncodingFault.WRONG),
        (b"name\xff\xff\n", None, EncodingFault.NONE),
        ("张三,李四\n".encode(), None, EncodingFault.UNCERTAIN),
        (TEXT.encode("utf-32"), None, EncodingFault.UTF_32),
        ("name\n".encode("utf-16-le"), None, EncodingFault.UNMARKED_UTF_16),
    ],
)
def test_what_is_not_certain_is_not_guessed(
    body: bytes, named: str | None, fault: EncodingFault
) -> None:
    with pytest.raises(EncodingError) as raised:
        find_encoding(body, named, WORDS)
    assert raised.value.fault is fault


def test_the_line_of_the_first_wrong_byte_is_said() -> None:
    with pytest.raises(EncodingError) as raised:
        find_encoding("姓名\n张三\n".encode() + b"\xff\n", "utf-8", WORDS)
    assert raised.value.line == 3


def test_a_person_may_say_which_it_is() -> None:
    body = "张三,李四\n".encode()
    assert find_encoding(body, "utf-8", WORDS) == "utf-8-sig"
    assert find_encoding(body, "gb18030", WORDS) == "gb18030"
