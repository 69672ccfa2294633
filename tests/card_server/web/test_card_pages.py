"""The pages of cards: what each step does, who may do it, and that a form keeps what was typed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import SYSTEM
from card_server.cards.cards import Doing
from card_server.cards.stock import NewCard, stock_cards
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.messages import CardState
from schema.tables.audit import AuditEntry
from schema.tables.cards import Card, CardBinding
from schema.tables.staff import Role, Scope
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.small_school import SmallSchool, make_school

BLANK, LABELLED = "04BBBBBB000001", "04BBBBBB000002"


@pytest.fixture
def stock(sessions: sessionmaker[Session], school: SmallSchool) -> list[int]:
    """Two blank cards, one of them labelled 临时 1."""
    with sessions.begin() as session:
        doing = Doing(SYSTEM, school.id, datetime.now(UTC))
        cards = stock_cards(session, doing, [NewCard(BLANK), NewCard(LABELLED, "临时 1")])
        return [card.id for card in cards]


@pytest.fixture
def logged_in(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool
) -> Callable[[Role, Grant], FlaskClient]:
    """A browser of somebody with this role."""

    def log_in(role: Role, grant: Grant) -> FlaskClient:
        with sessions.begin() as session:
            password = create_staff(session, school.id, role.value, f"某{role}", grant)
        client = app.test_client()
        client.set_cookie("language", "en")
        client.post("/log-in", data={"login": role.value, "password": password})
        form = {"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD}
        assert client.post("/password", data=form).status_code == 302
        return client

    return log_in


def _card(sessions: sessionmaker[Session], card_id: int) -> Card:
    with sessions() as session:
        return session.get_one(Card, card_id)


def _owner(sessions: sessionmaker[Session], card_id: int) -> int | None:
    with sessions() as session:
        return session.scalar(
            select(CardBinding.student_id).where(
                CardBinding.card_id == card_id, CardBinding.unbound_at.is_(None)
            )
        )


def test_the_list_shows_states_and_is_searched_by_number_label_and_name(
    staff: FlaskClient, school: SmallSchool, stock: list[int]
) -> None:
    page = staff.get("/cards").text
    assert "张三" in page
    assert re.search(r"in stock <b>2</b>", page)
    assert "张三" not in staff.get("/cards?state=returned").text
    for words, found in (("0001", 1), ("04 bb-bb", 2), ("临时 1", 1), ("zs", 1), ("zzzz", 0)):
        answer = staff.post("/cards", data={"words": words}, headers={"HX-Request": "true"}).text
        if words == "0001":
            assert "04 BB BB BB 00 00 01" in answer
        else:
            assert answer.count('class="lead"') == found, words


def test_a_card_is_lost_found_replaced_and_its_page_tells_it_all(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session], stock: list[int]
) -> None:
    card = school.cards[0]
    assert staff.post(f"/cards/{card}/lost", data={"reason": "操场"}).location == f"/cards/{card}"
    assert _card(sessions, card).state is CardState.LOST
    assert staff.post(f"/cards/{card}/lost").status_code == 409
    staff.post(f"/cards/{card}/found")
    assert _card(sessions, card).state is CardState.ACTIVE
    answer = staff.post(f"/cards/{card}/replace", data={"number": "04 FF FF FF FF FF FF"})
    assert answer.status_code == 422
    assert "04 FF FF FF FF FF FF" in answer.text
    staff.post(f"/cards/{card}/replace", data={"number": BLANK.lower()})
    assert _card(sessions, card).state is CardState.BLACKLISTED
    assert _owner(sessions, stock[0]) == school.students[0]
    page = staff.get(f"/cards/{card}").text
    for said in ("reported lost", "found again", "replaced", "操场", "王老师"):
        assert said in page
    with sessions() as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert {"card.lost", "card.found", "card.replaced", "card.issued"} <= actions


def test_a_card_is_ended_only_with_a_reason(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    card = school.cards[1]
    assert staff.post(f"/cards/{card}/end").status_code == 422
    assert _card(sessions, card).state is CardState.ACTIVE
    staff.post(f"/cards/{card}/end", data={"reason": "芯片坏了"})
    assert _card(sessions, card).state is CardState.BLACKLISTED


def test_a_new_number_is_given_only_when_it_may_be_taken_into_stock(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    staff.post(f"/cards/{school.cards[0]}/back")
    page, form = f"/students/{school.students[0]}/cards", {"number": "04CCCCCCCCCCCC"}
    assert staff.post(page, data=form).status_code == 422
    assert staff.post(page, data={**form, "takes_new": "1"}).status_code == 302
    assert "04 CC CC CC CC CC CC" in staff.get(page).text
    for number in ("08AABBCC", "04CC", "CCCCCCCCCCCC04"):
        answer = staff.post(page, data={"number": number, "takes_new": "1"})
        assert answer.status_code == 422, number


def test_a_homeroom_teacher_lends_and_reports_for_the_own_homeroom_only(
    logged_in: Callable[[Role, Grant], FlaskClient],
    school: SmallSchool,
    sessions: sessionmaker[Session],
    stock: list[int],
) -> None:
    room = school.homerooms[0]
    teacher = logged_in(
        Role.HOMEROOM_TEACHER, Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
    )
    page = teacher.get("/cards").text
    assert "张三" in page
    assert "李四" not in page
    assert teacher.get(f"/cards/{school.cards[1]}").status_code == 404
    assert teacher.post(f"/cards/{school.cards[1]}/lost").status_code == 404
    assert teacher.get(f"/students/{school.students[1]}/cards").status_code == 404
    lend = {"number": "临时 1"}
    assert teacher.post(f"/students/{school.students[1]}/cards/lend", data=lend).status_code == 404
    assert teacher.post(f"/students/{school.students[0]}/cards/lend", data=lend).status_code == 302
    assert _owner(sessions, stock[1]) == school.students[0]
    assert teacher.post(f"/cards/{school.cards[0]}/lost").status_code == 302
    assert teacher.post(f"/cards/{school.cards[0]}/found").status_code == 403
    assert "Take back" not in teacher.get(f"/cards/{school.cards[0]}").text


@pytest.mark.parametrize("typed", ["临时 1", "临时1", "临时１", " 临时　１ "])
def test_a_label_is_found_however_its_space_and_its_digit_are_typed(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    stock: list[int],
    typed: str,
) -> None:
    page = f"/students/{school.students[0]}/cards/lend"
    assert staff.post(page, data={"number": "临时2"}).status_code == 422
    assert staff.post(page, data={"number": typed}).status_code == 302
    assert _owner(sessions, stock[1]) == school.students[0]


def test_of_two_labels_that_read_alike_the_one_that_was_typed_is_meant(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session], stock: list[int]
) -> None:
    with sessions.begin() as session:
        doing = Doing(SYSTEM, school.id, datetime.now(UTC))
        [twin] = stock_cards(session, doing, [NewCard("04BBBBBB000003", "临时1")])
        twin_id = twin.id
    page = f"/students/{school.students[0]}/cards/lend"
    assert staff.post(page, data={"number": "临时１"}).status_code == 422
    assert staff.post(page, data={"number": "临时1"}).status_code == 302
    assert _owner(sessions, twin_id) == school.students[0]


def test_a_guard_lends_a_card_to_anybody_and_takes_nothing_new_into_stock(
    logged_in: Callable[[Role, Grant], FlaskClient],
    school: SmallSchool,
    sessions: sessionmaker[Session],
    stock: list[int],
) -> None:
    guard = logged_in(Role.GATE_GUARD, Grant(Role.GATE_GUARD, Scope.GATE, place="校门"))
    page = f"/students/{school.students[1]}/cards/lend"
    form = {"number": "04DDDDDDDDDDDD", "takes_new": "1"}
    assert guard.post(page, data=form).status_code == 422
    assert guard.post(page, data={"number": BLANK}).status_code == 302
    assert _owner(sessions, stock[0]) == school.students[1]
    assert guard.post(page, data={"number": "临时 1"}).status_code == 409
    assert guard.post(f"/cards/{school.cards[1]}/lost").status_code == 302
    assert guard.get("/cards/desk").status_code == 403


def test_nothing_of_another_school_is_seen_or_done(
    staff: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    assert staff.get(f"/cards/{other.cards[0]}").status_code == 404
    assert staff.post(f"/cards/{other.cards[0]}/lost").status_code == 404
    assert staff.post("/cards", data={"words": other.uids[0]}).text.count('class="lead"') == 0


def test_a_download_holds_every_card(staff: FlaskClient, school: SmallSchool) -> None:
    lines = staff.get("/cards?export=csv").text
    assert all(uid in lines for uid in school.uids)
