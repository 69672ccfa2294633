"""Card faces as they come out of the printer: sizes, texts, fonts, pictures, codes."""

from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader

from card_server.faces import fonts
from card_server.faces.design import Design
from card_server.faces.drawing import Face, Issuer
from card_server.faces.fonts import FONTS, MISSING, missing_letters, split_runs
from card_server.faces.printing import Output, print_faces
from schema.tables.card_faces import FaceField, FaceOrientation

_MM = 25.4 / 72
SCHOOL = "实验中学附属第二初级中学"
NOBODY_HAS_IT = "\U0003134f"
"""Unassigned: after the last of CJK Extension G."""


def _picture(kind: str, size: tuple[int, int] = (60, 80)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, kind)
    return out.getvalue()


def _face(number: int = 1, name: str = "张三", photo: bytes | None = None) -> Face:
    return Face(number, name, f"2026{number:04}", "初一(1)班", photo)


def _issuer(**design: object) -> Issuer:
    return Issuer(SCHOOL, _picture("PNG", (50, 50)), Design(**design))  # type: ignore[arg-type]


def _read(output: Output, faces: list[Face], **design: object) -> PdfReader:
    return PdfReader(BytesIO(print_faces(output, _issuer(**design), faces)))


def _sizes(pdf: PdfReader) -> set[tuple[float, float]]:
    return {
        (round(float(page.mediabox.width) * _MM, 1), round(float(page.mediabox.height) * _MM, 1))
        for page in pdf.pages
    }


@pytest.mark.parametrize(
    ("output", "orientation", "size", "pages"),
    [
        (Output.CARDS, FaceOrientation.LANDSCAPE, (85.6, 54.0), 24),
        (Output.CARDS, FaceOrientation.PORTRAIT, (54.0, 85.6), 24),
        (Output.SHEETS, FaceOrientation.LANDSCAPE, (210.0, 297.0), 4),
        (Output.SHEETS, FaceOrientation.PORTRAIT, (297.0, 210.0), 4),
    ],
)
def test_pages_have_the_size_of_the_card_or_of_the_sheet(
    output: Output, orientation: FaceOrientation, size: tuple[float, float], pages: int
) -> None:
    pdf = _read(output, [_face(number) for number in range(12)], orientation=orientation)
    assert _sizes(pdf) == {size}
    assert len(pdf.pages) == pages


def test_a_card_is_not_a_tenth_of_a_millimetre_off() -> None:
    box = _read(Output.CARDS, [_face()]).pages[0].mediabox
    assert float(box.width) * _MM == pytest.approx(85.60, abs=0.05)
    assert float(box.height) * _MM == pytest.approx(53.98, abs=0.05)


def test_front_and_back_say_what_they_should() -> None:
    front, back = (page.extract_text() for page in _read(Output.CARDS, [_face()]).pages)
    for text in (SCHOOL, "张三", "20260001", "初一(1)班"):
        assert text in front
    assert "拾到此卡" in back
    assert "张三" not in back


def test_a_field_that_is_switched_off_is_not_printed() -> None:
    pdf = _read(Output.CARDS, [_face(photo=_picture("JPEG"))], fields=frozenset())
    text = pdf.pages[0].extract_text()
    assert "张三" in text
    assert "20260001" not in text
    assert "初一" not in text
    assert len(pdf.pages[0].images) == 0


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photo_and_logo_are_in_it(kind: str) -> None:
    pdf = _read(Output.CARDS, [_face(photo=_picture(kind))])
    assert len(pdf.pages[0].images) == 2


def test_a_damaged_photo_leaves_a_frame_and_stops_nothing() -> None:
    pdf = _read(Output.CARDS, [_face(photo=b"\xff\xd8\xff no picture"), _face(2, "李四")])
    assert len(pdf.pages[0].images) == 1
    assert "李四" in pdf.pages[2].extract_text()


def test_a_large_photo_is_made_small() -> None:
    faces = [_face(number, photo=_picture("JPEG", (3000, 4000))) for number in range(5)]
    assert len(print_faces(Output.CARDS, _issuer(), faces)) < 200_000


def test_fonts_are_embedded_by_subset() -> None:
    page = _read(Output.CARDS, [_face()]).pages[0]
    used = [one.get_object() for one in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    assert used
    for font in used:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert "/FontFile2" in descriptor
        assert len(descriptor["/FontFile2"].get_data()) < 200_000
        assert font["/BaseFont"][7] == "+"


@pytest.mark.parametrize(
    "name", ["䶮天", "\U00020bb7野", "\U0002cb4e", "买买提·阿卜杜热依木·库尔班江"]
)
def test_rare_and_long_names_come_out_whole(name: str) -> None:
    text = _read(Output.CARDS, [_face(name=name)]).pages[0].extract_text()
    assert name in text.replace("\n", "")


def test_a_name_is_set_in_one_font_where_one_has_it_all() -> None:
    assert list(split_runs("张三")) == [(FONTS[0], "张三")]
    assert list(split_runs("张䶮")) == [(FONTS[1], "张䶮")]


def test_what_no_font_has_is_marked_and_said() -> None:
    name = f"王{NOBODY_HAS_IT}"
    assert missing_letters(name) == NOBODY_HAS_IT
    text = _read(Output.CARDS, [_face(name=name)]).pages[0].extract_text()
    assert f"王{MISSING}" in text


def test_without_the_second_font_its_characters_are_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "FONTS", fonts.FONTS[:1])
    assert missing_letters("张䶮") == "䶮"


def test_all_cards_of_a_homeroom_are_on_its_sheets_in_order() -> None:
    pdf = _read(Output.SHEETS, [_face(number) for number in range(23)])
    fronts = [pdf.pages[at].extract_text() for at in (0, 2, 4)]
    for sheet, text in enumerate(fronts):
        for number in range(sheet * 10, min(23, sheet * 10 + 10)):
            assert f"2026{number:04}" in text
    assert "张三" not in pdf.pages[1].extract_text()


def test_a_name_of_any_length_stays_on_the_card() -> None:
    text = _read(Output.CARDS, [_face(name="很长的名字" * 24)]).pages[0].extract_text()
    assert "…" in text


def test_every_field_has_a_place() -> None:
    assert set(FaceField) == Design().fields
