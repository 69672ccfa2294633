"""A list of cards into stock: staff choose how it is read, see what comes of it, and take it."""

import io
import re

import pytest
import xlsxwriter
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.cards.notations import Notation
from schema.tables.cards import Card, CardBinding, CardKind
from tests.card_server.web.small_school import SmallSchool
from tests.card_server.web.test_desk_pages import Desk

LIST = "04A1B2C3\n04A1B2C4\tA7\n"


@pytest.fixture
def desk(staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]) -> Desk:
    return Desk(staff, school, sessions)


def _cards(sessions: sessionmaker[Session]) -> dict[str, Card]:
    with sessions() as session:
        return {
            card.uid: card
            for card in session.scalars(select(Card).where(Card.uid.like("04A1B2__")))
        }


def test_a_list_with_two_readings_is_not_taken_before_staff_choose(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    page = staff.post("/cards/stock", data={"list": "04A1B2C3\n04A1B2C4\n"}).text
    assert "more than one way" in page
    assert "checked" not in page.split('id="ways"')[1].split("</table>")[0]
    assert staff.post("/cards/stock/take", data={"list": "04A1B2C3"}).status_code == 422
    assert _cards(sessions) == {}


def test_the_chosen_way_is_shown_and_taken_whole(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    form = {
        "list": "card number\tlabel\n04A1B2C3\tA6\n04A1B2C4\tA7\n",
        "notation": "hex",
        "kind": "temporary",
    }
    assert "Take the whole list" in staff.post("/cards/stock", data=form).text
    assert staff.post("/cards/stock/take", data=form).status_code == 302
    found = _cards(sessions)
    assert {uid: card.label for uid, card in found.items()} == {"04A1B2C3": "A6", "04A1B2C4": "A7"}
    assert {card.kind for card in found.values()} == {CardKind.TEMPORARY}


def test_a_list_with_student_numbers_gives_the_cards(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    staff.post(f"/cards/{school.cards[0]}/back")
    form = {"list": "04A1B2C3\t20260000", "notation": Notation.HEX.value}
    assert staff.post("/cards/stock/take", data=form).status_code == 302
    with sessions() as session:
        owner = session.scalar(
            select(CardBinding.student_id)
            .join(Card, Card.id == CardBinding.card_id)
            .where(Card.uid == "04A1B2C3")
        )
    assert owner == school.students[0]


def test_a_wrong_line_stands_with_its_reason_and_nothing_is_taken(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    form = {"list": f"04A1B2C3\n{school.uids[0]}\n", "notation": "hex"}
    page = staff.post("/cards/stock", data=form).text
    assert "The school has this card already." in page
    assert "Take the whole list" not in page
    assert staff.post("/cards/stock/take", data=form).status_code == 422
    assert _cards(sessions) == {}


def test_numbers_that_lost_digits_are_named_by_their_rows(staff: FlaskClient) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet().write_column(0, 0, ["卡号", "5630F009", 4.5e20])
    file.seek(0)
    page = staff.post("/cards/stock", data={"file": (file, "cards.xlsx")}).text
    assert re.search(r"spoilt the number.*: 3\.", page)


def test_a_file_that_is_none_and_an_empty_list_say_so_beside_their_field(
    staff: FlaskClient,
) -> None:
    answer = staff.post("/cards/stock", data={"file": (io.BytesIO(b"%PDF-1.7"), "a.pdf")})
    assert answer.status_code in (200, 422)
    assert staff.post("/cards/stock", data={"list": " "}).status_code == 422


def test_the_card_held_to_the_desk_shows_which_way_is_right(desk: Desk) -> None:
    desk.open()
    desk.hold("C3B2A104")
    said = desk.client.post("/cards/stock/tapped", data=desk.fields).text
    assert 'name="tapped" value="C3B2A104"' in said
    page = desk.client.post("/cards/stock", data={"list": LIST, "tapped": "C3B2A104"}).text
    row = next(row for row in page.split("<tr") if 'value="hex-reversed"' in row)
    assert "line 1" in row
    assert "checked" not in row, "it is shown, and staff choose"
    other = next(row for row in page.split("<tr") if 'value="hex"' in row)
    assert "not in the list" in other
