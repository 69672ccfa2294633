"""How many SMS a text is, held against tables and against a slow segmenter of another make."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from card_server.messages.segments import Encoding, Size, size_of

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2
DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", Size(GSM7, 0, 0, 1)),
        ("x" * 160, Size(GSM7, 160, 160, 1)),
        ("x" * 161, Size(GSM7, 161, 161, 2)),
        ("x" * 306, Size(GSM7, 306, 306, 2)),
        ("x" * 307, Size(GSM7, 307, 307, 3)),
        ("x" * 459, Size(GSM7, 459, 459, 3)),
        ("x" * 460, Size(GSM7, 460, 460, 4)),
        ("x" * 158 + "€", Size(GSM7, 159, 160, 1)),
        ("x" * 159 + "€", Size(GSM7, 160, 161, 2)),
        # The escape would be the 153rd septet of a segment: the whole character moves on.
        ("x" * 152 + "€" + "x" * 152, Size(GSM7, 305, 306, 3)),
        ("x" * 151 + "€" + "x" * 153, Size(GSM7, 305, 306, 2)),
        ("€" * 80, Size(GSM7, 80, 160, 1)),
        ("€" * 81, Size(GSM7, 81, 162, 2)),
        ("€" * 152, Size(GSM7, 152, 304, 2)),
        ("€" * 153, Size(GSM7, 153, 306, 3)),
        ("中" * 70, Size(UCS2, 70, 70, 1)),
        ("中" * 71, Size(UCS2, 71, 71, 2)),
        ("中" * 134, Size(UCS2, 134, 134, 2)),
        ("中" * 135, Size(UCS2, 135, 135, 3)),
        ("中" * 201, Size(UCS2, 201, 201, 3)),
        ("中" * 202, Size(UCS2, 202, 202, 4)),
        ("x" * 69 + "中", Size(UCS2, 70, 70, 1)),
        ("中" * 68 + "😀", Size(UCS2, 69, 70, 1)),
        ("中" * 69 + "😀", Size(UCS2, 70, 71, 2)),
        # The pair would be the 67th and 68th unit: it moves on whole, and the last one with it.
        ("中" * 66 + "😀" + "中" * 66, Size(UCS2, 133, 134, 3)),
        ("中" * 65 + "😀" + "中" * 67, Size(UCS2, 133, 134, 2)),
        ("𠮷" * 35, Size(UCS2, 35, 70, 1)),
        ("𠮷" * 66, Size(UCS2, 66, 132, 2)),
        ("𠮷" * 67, Size(UCS2, 67, 134, 3)),
        ("`" * 70, Size(UCS2, 70, 70, 1)),
        ("ç", Size(UCS2, 1, 1, 1)),
        ("Ç", Size(GSM7, 1, 1, 1)),
        ("【No. 1】" + "x" * 63, Size(UCS2, 70, 70, 1)),
    ],
)
def test_a_text_takes_exactly_this(text: str, size: Size) -> None:
    assert size_of(text) == size


def test_the_alphabet_is_that_of_the_standard() -> None:
    # TS 23.038 §6.2.1: 128 codes, one of them the escape to the ten of §6.2.1.1.
    assert len(DEFAULT) == len({*DEFAULT}) == 127
    assert len(EXTENSION) == 10
    for character in map(chr, range(0x3000)):
        is_gsm = character in DEFAULT + EXTENSION
        assert (size_of(character).encoding is GSM7) == is_gsm, hex(ord(character))
        assert size_of(character).units == (2 if character in EXTENSION else 1)


def slow_segments(text: str) -> list[list[bytes]]:
    """The parts of a text, each the codes that lie in it: built and cut one code after another."""
    if all(character in DEFAULT + EXTENSION for character in text):
        codes = [b"\x1b" + c.encode() if c in EXTENSION else c.encode() for c in text]
        lengths = [2 if c in EXTENSION else 1 for c in text]
        alone, joined = 160, 153
    else:
        codes = [c.encode("utf-16-be", "surrogatepass") for c in text]
        lengths = [len(code) // 2 for code in codes]
        alone, joined = 70, 67
    if sum(lengths) <= alone:
        return [codes]
    parts: list[list[bytes]] = [[]]
    room = joined
    while codes:
        if lengths[0] > room:
            parts.append([])
            room = joined
        parts[-1].append(codes.pop(0))
        room -= lengths.pop(0)
    return parts


@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from(DEFAULT), st.sampled_from(EXTENSION), st.sampled_from("中文`😀𠮷é")
        ),
        max_size=500,
    )
    | st.text(alphabet=st.sampled_from(DEFAULT + EXTENSION), min_size=150, max_size=500)
    | st.text(alphabet=st.sampled_from("中a😀"), min_size=60, max_size=300)
    | st.text()
)
@example("x" * 152 + "[" * 3)
def test_it_agrees_with_a_segmenter_that_cuts_the_codes_themselves(text: str) -> None:
    assert size_of(text).segments == len(slow_segments(text))
