"""Who is on campus and evacuations as pages: what they show, take, and keep from others."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from card_server.reports.changes import Change, Watch
from card_server.reports.evacuation import find_evacuation, find_running, list_people
from card_server.staff.accounts import create_staff
from card_server.staff.scope import Grant
from schema.tables.attendance import Presence
from schema.tables.evacuation import Evacuation
from schema.tables.leave import LeaveState
from schema.tables.people import Boarding, Student
from schema.tables.school import Homeroom, Term
from schema.tables.staff import Role, Scope
from tests.card_server.web.campus_things import (
    add_evacuation,
    add_mark,
    add_presence,
    add_timetable,
)
from tests.card_server.web.conftest import CHOSEN_PASSWORD
from tests.card_server.web.leave_things import make_slip
from tests.card_server.web.small_school import SmallSchool, add_health, add_student, add_students


@pytest.fixture
def inside(school: SmallSchool, sessions: sessionmaker[Session]) -> SmallSchool:
    """Students 0 to 3 are on campus, 4 was closed upon; one gate is fresh, one is not."""
    now = datetime.now(UTC)
    with sessions.begin() as session:
        for student in range(4):
            add_presence(session, school, student, now - timedelta(minutes=20))
        add_presence(session, school, 4, now, is_inside=False, is_closed=True)
        add_health(session, school, 0, now - timedelta(minutes=1))
        add_health(session, school, 1, now - timedelta(minutes=11))
    return school


def _hire(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool, grant: Grant
) -> FlaskClient:
    with sessions.begin() as session:
        password = create_staff(session, school.id, f"as-{grant.role}", "某老师", grant)
    client = app.test_client()
    client.set_cookie("language", "en")
    client.post("/log-in", data={"login": f"as-{grant.role}", "password": password})
    client.post("/password", data={"password": CHOSEN_PASSWORD, "again": CHOSEN_PASSWORD})
    return client


def _teacher(app: Flask, sessions: sessionmaker[Session], school: SmallSchool) -> FlaskClient:
    room = school.homerooms[0]
    return _hire(
        app, sessions, school, Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
    )


def test_a_page_that_is_open_stays_while_others_tap(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_students(session, inside, range(8, 70))
    with sessions.begin() as session:
        for student in range(5, 70):
            add_presence(session, inside, student, datetime.now(UTC))
    own = re.search(r'<div hx-post="([^"]+)" hx-target="#found"', staff.get("/campus?page=2").text)
    assert own
    again = staff.post(own[1].replace("&amp;", "&"), headers={"HX-Request": "true"}).text
    assert "51–69 of 69" in again


def _count(page: str, name: str) -> int:
    found = re.search(rf'id="count-{name}">(\d+)<', page)
    assert found, page
    return int(found[1])


def test_it_shows_who_is_inside_and_which_gate_is_not_fresh(
    staff: FlaskClient, inside: SmallSchool
) -> None:
    page = staff.get("/campus").text
    assert (_count(page, "inside"), _count(page, "unsure")) == (4, 1)
    assert page.count('class="lead"') == 4
    assert "张三" in page
    assert "1 gate has delivered nothing for over 5 minutes" in page
    assert re.search(r"东门出: delivered up to \d\d:\d\d \(11 min ago\)", page)
    assert re.search(r"东门进: delivered up to \d\d:\d\d \(1 min ago\)", page)
    unsure = staff.get("/campus?show=unsure").text
    assert "欧阳娜" in unsure
    assert "张三" not in unsure


def test_a_boarder_who_was_not_seen_since_lessons_is_named(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "not seen since before the days without lessons" not in staff.get("/campus").text
    now = datetime.now(UTC)
    begun = now.date() - timedelta(days=90)
    with sessions.begin() as session:
        term = session.scalars(select(Term).where(Term.school_id == inside.id)).one()
        term.starts_on, term.ends_on = begun, now.date() + timedelta(days=90)
        add_timetable(session, inside, begun)
        for student in (0, 1):
            id_ = inside.students[student]
            session.add(Boarding(school_id=inside.id, student_id=id_, from_on=begun))
        add_presence(session, inside, 0, now - timedelta(days=30))
    page = staff.get("/campus").text
    assert "1 boarder counts as inside and was not seen since before" in page
    found = staff.get("/campus?boarding=unseen").text
    assert re.findall(r'class="lead"><(?:a href="[^"]*"|span)>([^<]+)<', found) == ["张三"]
    taken = staff.get("/campus?boarding=unseen&export=csv").text
    assert "张三" in taken
    assert "李四" not in taken


def test_it_is_filtered_searched_and_taken_away(staff: FlaskClient, inside: SmallSchool) -> None:
    room = staff.get(f"/campus?homeroom={inside.homerooms[1]}").text
    assert "李四" in room
    assert "张三" not in room
    found = staff.post("/campus", data={"words": "zx"}, headers={"HX-Request": "true"}).text
    assert "赵雪" in found
    assert "李四" not in found
    csv = staff.get(f"/campus?homeroom={inside.homerooms[1]}&export=csv").text
    assert "李四" in csv
    assert "赵雪" in csv
    assert "张三" not in csv


def _lines(page: str) -> list[str]:
    """What the rolls of a page for paper say of each student: a name and a note."""
    rolls = re.findall(r"<ol>(.*?)</ol>", page, re.DOTALL)
    return [line.strip() for roll in rolls for line in roll.split("<li>")[1:]]


def test_the_paper_has_a_line_for_each_and_says_how_fresh_it_is(
    staff: FlaskClient, inside: SmallSchool
) -> None:
    page = staff.get("/campus/print").text
    assert len(_lines(page)) == 5
    assert page.count('<section class="roll">') == 2
    assert "⚠ 东门出" in page
    assert "1 gate is fresh" in page
    assert re.fullmatch(r"张三<p>(\d\d-\d\d )?\d\d:\d\d 东门进", _lines(page)[0])
    assert "欧阳娜<p>nobody saw them leave" in _lines(page)


def test_the_paper_is_of_a_homeroom_or_a_grade_when_that_is_chosen(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        session.get_one(Homeroom, inside.homerooms[1]).grade = 10
    second = ["李四", "赵雪"]
    for asked in (f"homeroom={inside.homerooms[1]}", "grade=10"):
        lines = _lines(staff.get(f"/campus/print?{asked}").text)
        assert [line.partition("<")[0] for line in lines] == second, asked
    another = staff.get(f"/campus/print?homeroom={inside.homerooms[0]}&grade=10").text
    assert len(_lines(another)) == 2, "a grade that is chosen after a homeroom of another one"
    assert "Nobody is on campus" in staff.get("/campus/print?homeroom=999999999").text


def test_a_line_of_the_paper_says_what_is_to_be_noted_and_tells_twins_apart(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    now = datetime.now(UTC)
    with sessions.begin() as session:
        session.get_one(Student, inside.students[2]).name = "张三"
        first = inside.students[0]
        session.add(Boarding(school_id=inside.id, student_id=first, from_on=date(2026, 9, 1)))
        add_presence(session, inside, 0, datetime(2026, 9, 6, 10, 5, tzinfo=UTC), reader_id=0)
        slip = make_slip(inside, 3, now - timedelta(hours=1))
        slip.state = LeaveState.APPROVED
        session.add(slip)
    lines = _lines(staff.get("/campus/print").text)
    assert lines[0] == "张三 (0000)<p>09-06 18:05 by hand · boarder"
    assert lines[1].startswith("张三 (0002)<p>")
    assert lines[-1].endswith(" · sick leave")


def test_a_line_of_the_paper_is_a_name_and_a_note_and_few_bytes_more(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    """So that 3,000 are one page: the homerooms' heads are shared by 50 each."""
    before = len(staff.get("/campus/print").data)
    with sessions.begin() as session:
        for number in range(8, 108):
            add_student(session, inside, number)
            add_presence(session, inside, number)
    more = len(staff.get("/campus/print").data) - before
    assert more <= 100 * 45


def test_a_teacher_sees_the_own_homeroom_and_a_guard_all(
    app: Flask, sessions: sessionmaker[Session], inside: SmallSchool
) -> None:
    teacher = _teacher(app, sessions, inside)
    for path in ("/campus", "/campus/print", "/campus?export=csv"):
        page = teacher.get(path).text
        assert "张三" in page
        assert "李四" not in page
    guard = _hire(app, sessions, inside, Grant(Role.GATE_GUARD, Scope.GATE, place="校门"))
    assert "李四" in guard.get("/campus").text
    assert _count(guard.get("/campus").text, "inside") == 4


def _begin(client: FlaskClient) -> str:
    answer = client.post("/campus/evacuation", data={"reason": "消防演练"})
    assert answer.status_code == 302
    return str(answer.location)


def test_an_evacuation_is_begun_ticked_off_and_ended(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert staff.post("/campus/evacuation", data={"reason": " "}).status_code == 422
    address = _begin(staff)
    page = staff.get(address).text
    assert _count(page, "missing") == 4
    student = inside.students[0]
    room = inside.homerooms[0]
    answer = staff.post(f"{address}/ticks?homeroom={room}", data={"tick": f"{student}:1:0"})
    assert answer.location == f"{address}?homeroom={room}"
    page = staff.get(f"{address}?homeroom={room}").text
    assert (_count(page, "missing"), _count(page, "found")) == (1, 1)
    assert page.index("王小明") < page.index("张三"), "the missing stand first"
    again = staff.post("/campus/evacuation", data={"reason": "又一次"})
    assert again.status_code == 409
    assert "goes on already" in again.text
    record = staff.post(f"{address}/end").location
    page = staff.get(record).text
    assert page.count('<tr class="alarm"') == 3
    assert "王老师" in page
    csv = staff.get(f"{record}?export=csv").text
    assert "张三" in csv
    with sessions() as session:
        assert find_running(session, inside.id) is None


def test_a_phone_sends_what_it_has_kept(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    address = _begin(staff)
    sent = [f"{inside.students[0]}:1:40", f"{inside.students[1]}:1:30", "99999:1:1"]
    by_script = {"X-Sent-By-Script": "1"}
    answer = staff.post(f"{address}/ticks", data={"tick": sent}, headers=by_script)
    assert (answer.status_code, answer.text) == (204, "")
    assert _count(staff.get(address).text, "found") == 2
    for nonsense in ("x", "1:1", "1:1:x", "::"):
        answer = staff.post(f"{address}/ticks", data={"tick": nonsense}, headers=by_script)
        assert answer.status_code == 422, nonsense
    many = {"tick": ["1:1:1"] * 501}
    assert staff.post(f"{address}/ticks", data=many, headers=by_script).status_code == 422
    staff.post(f"{address}/end")
    answer = staff.post(
        f"{address}/ticks", data={"tick": f"{inside.students[2]}:1:0"}, headers=by_script
    )
    assert answer.status_code == 409


def test_a_teacher_ticks_off_the_own_homeroom_alone_and_ends_nothing(
    app: Flask, sessions: sessionmaker[Session], inside: SmallSchool
) -> None:
    with sessions.begin() as session:
        evacuation_id = add_evacuation(session, inside, range(4)).id
    teacher = _teacher(app, sessions, inside)
    address = f"/campus/evacuation/{evacuation_id}"
    page = teacher.get(address).text
    assert _count(page, "missing") == 2
    assert "李四" not in page + teacher.get(f"{address}/record").text
    assert "end-evacuation" not in page
    other = {"tick": f"{inside.students[1]}:1:0"}
    teacher.post(f"{address}/ticks", data=other)
    assert teacher.post(f"{address}/end").status_code == 403
    with sessions() as session:
        row = find_evacuation(session, inside.id, evacuation_id)
        assert [one.is_found for one in list_people(session, row)] == [False] * 4


def test_a_tick_is_told_to_all_who_watch(
    engine: Engine, staff: FlaskClient, inside: SmallSchool
) -> None:
    address = _begin(staff)
    watch = Watch(inside.id)
    with engine.connect() as connection:
        watch.look(connection)
    staff.post(f"{address}/ticks", data={"tick": f"{inside.students[0]}:1:0"})
    with engine.connect() as connection:
        assert Change.EVACUATION in watch.look(connection)
    with engine.connect() as connection:
        assert watch.look(connection) == set()


def test_it_shows_itself_where_an_evacuation_goes_on(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert "Evacuation goes on" not in staff.get("/campus").text
    address = _begin(staff)
    assert address in staff.get("/campus").text
    assert address in staff.get("/campus/evacuation").text
    with sessions.begin() as session:
        assert session.query(Evacuation).count() == 1
        session.query(Presence).delete()
    assert _count(staff.get(address).text, "missing") == 4, "the list is frozen"


def test_whom_a_teacher_marked_present_stands_apart_on_every_list(
    staff: FlaskClient, inside: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        add_mark(session, inside, 6)
    page = staff.get("/campus").text
    assert (_count(page, "inside"), _count(page, "marked")) == (4, 1)
    assert "陈晨" not in page
    marked = staff.get("/campus?show=marked").text
    assert "陈晨" in marked
    assert "张三" not in marked
    paper = staff.get("/campus/print").text
    assert paper.count("<h3>Marked present by a teacher, no tap") == 1
    assert paper.index("王小明") < paper.index("<h3>") < paper.index("陈晨") < paper.index("李四")
    address = _begin(staff)
    page = staff.get(address).text
    assert (_count(page, "missing"), _count(page, "marked")) == (4, 1)
    room = staff.get(f"{address}?homeroom={inside.homerooms[0]}").text
    assert 'id="marked-title"' in room
    staff.post(f"{address}/ticks", data={"tick": f"{inside.students[6]}:1:0"})
    page = staff.get(address).text
    assert (_count(page, "marked"), _count(page, "found")) == (0, 1)


def test_a_teacher_of_whose_homeroom_nobody_is_listed_adds_whom_they_find(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    with sessions.begin() as session:
        evacuation_id = add_evacuation(session, school, []).id
    teacher = _teacher(app, sessions, school)
    address = f"/campus/evacuation/{evacuation_id}"
    page = teacher.get(address).text
    assert 'id="others"' in page
    assert "张三" in page
    assert "李四" not in page
    ticks = [f"{school.students[0]}:1:0", f"{school.students[1]}:1:0"]
    teacher.post(f"{address}/ticks", data={"tick": ticks})
    page = teacher.get(address).text
    assert (_count(page, "found"), _count(page, "missing")) == (1, 0)
    assert "was on no list" in page
    record = teacher.get(f"{address}/record").text
    assert "found, was on no list" in record
    with sessions() as session:
        people = list_people(session, find_evacuation(session, school.id, evacuation_id))
        assert [one.name for one in people] == ["张三"]
