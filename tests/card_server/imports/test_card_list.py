"""Lists of card numbers: every way to read them is shown, none is guessed, spoilt ones refused."""

import io

import pytest
import xlsxwriter

from card_server.cards.notations import Notation
from card_server.errors import AppError
from card_server.imports.card_list import (
    FAULTS,
    CardLine,
    UnreadableError,
    find_ways,
    lost_digits,
    number_of,
    read_file,
    read_pasted,
    write_plain,
)

HEX = "5630F009"
"""A card as it sends its bytes, and what other systems write for it (published by others)."""
WRITTEN = {
    Notation.HEX: "5630F009",
    Notation.HEX_REVERSED: "09F03056",
    Notation.DECIMAL_10: "1446047753",
    Notation.DECIMAL_10_REVERSED: "0166735958",
    Notation.DECIMAL_8: "08612528",
    Notation.DECIMAL_8_REVERSED: "24012374",
    Notation.WIEGAND_34: "0010101100011000011110000000010011",
}


def _xlsx(rows: list[list[object]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            sheet.write_row(line, 0, row)
    return file.getvalue()


@pytest.mark.parametrize(("notation", "written"), WRITTEN.items())
def test_the_card_that_was_tapped_tells_the_notation(notation: Notation, written: str) -> None:
    ways = find_ways([CardLine(1, "00112233"), CardLine(2, written)], tapped=HEX)
    assert notation in {way.notation for way in ways if way.found_at == 2}


def test_a_list_of_hex_numbers_can_always_be_read_from_both_ends() -> None:
    ways = [way for way in find_ways([CardLine(1, "04A1B2C3")]) if way.is_possible]
    assert {way.notation for way in ways} == {Notation.HEX, Notation.HEX_REVERSED}
    assert {way.first for way in ways} == {"04A1B2C3", "C3B2A104"}


def test_a_way_that_reads_only_some_lines_says_so() -> None:
    [hex_way, *_] = find_ways([CardLine(1, "04A1B2C3"), CardLine(2, "nonsense")])
    assert (hex_way.readable, hex_way.lines, hex_way.is_possible) == (1, 2, False)


@pytest.mark.parametrize("spoilt", ["1.44605E+09", "1.2E+09", "###", "1446047753.5"])
def test_a_number_with_lost_digits_is_named_with_its_line(spoilt: str) -> None:
    lines = [CardLine(1, "5630F009"), CardLine(7, spoilt)]
    assert lost_digits(lines) == [7]
    assert all(number_of(lines[1], notation) in FAULTS for notation in Notation)
    assert not any(way.is_possible for way in find_ways(lines))


@pytest.mark.parametrize("written", ["", "x", "1.2E+09", "0101", "08612528999", "0" * 26, "1" * 34])
def test_every_fault_has_its_sentence(written: str) -> None:
    said = {number_of(CardLine(1, written), notation) for notation in Notation}
    assert {one for one in said if isinstance(one, str)} <= set(FAULTS)


def test_columns_are_known_by_their_words_or_by_their_order() -> None:
    named = read_pasted("学号\t标签\t卡号\n20260001\tA7\t04A1B2C3\n")
    assert named == [CardLine(2, "04A1B2C3", "20260001", "A7")]
    ordered = read_pasted("04A1B2C3\t20260001\tA7\n\n04A1B2C4\n")
    assert ordered == [CardLine(1, "04A1B2C3", "20260001", "A7"), CardLine(3, "04A1B2C4")]
    assert read_pasted("04A1B2C3,20260001")[0].student == "20260001"


def test_eight_digits_with_a_comma_are_one_number() -> None:
    lines = read_pasted("086,12528\n001,00002\n")
    assert [line.number for line in lines] == ["086,12528", "001,00002"]
    assert all(line.student == "" for line in lines)


def test_what_is_carried_by_the_page_reads_as_the_same_list() -> None:
    lines = [CardLine(5, "04A1B2C3", "20260001", "A7"), CardLine(9, "04A1B2C4")]
    assert read_pasted(write_plain(lines)) == lines


def test_a_workbook_keeps_whole_numbers_and_shows_lost_digits() -> None:
    lines = read_file(_xlsx([["卡号", "学号"], [1446047753, "20260001"], [4.5e20, ""]]), "a.xlsx")
    assert lines[0] == CardLine(2, "1446047753", "20260001")
    assert lost_digits(lines) == [3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_is_read_in_the_encodings_that_schools_have(encoding: str) -> None:
    body = "卡号,学号\n04A1B2C3,20260001\n".encode(encoding)
    assert read_file(body, "a.csv") == [CardLine(2, "04A1B2C3", "20260001")]


def test_a_file_that_is_none_says_why() -> None:
    with pytest.raises(UnreadableError):
        read_file(b"PK\x03\x04 no zip at all", "a.xlsx")


@pytest.mark.parametrize("text", ["", "\n\n", "卡号\n", "04A1B2C3\n" * 5001])
def test_a_list_with_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(AppError):
        read_pasted(text)
