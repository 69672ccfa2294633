"""The audit log's page: who may read which log, its filters, and looks that are noted."""

import ast
import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

import card_server
from card_server import looks
from card_server.audit.details import is_sealed
from card_server.audit.verifying import snapshot, verify_chain
from card_server.audit.writing import Actor, erase_details, note
from card_server.words.audit import ACTIONS
from schema.tables.audit import DISTRICT, AuditDetail, AuditEntry
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.conftest import LogIn
from tests.card_server.web.small_school import SmallSchool, add_tap, make_school


@pytest.fixture
def note_as_wang(
    app: Flask, sessions: sessionmaker[Session], school: SmallSchool
) -> Callable[..., None]:
    """Notes of the school's administrator, in the past of this test."""
    with sessions() as session:
        [wang] = session.scalars(select(Staff.id).where(Staff.login == school.login))
    who = Actor("staff", wang, "王老师", "10.1.2.3")

    def write(action: str, subject: str, **details: object) -> None:
        with sessions.begin() as session:
            note(session, school.id, who, action, subject, details=details)

    return write


def entries(sessions: sessionmaker[Session], chain: int, action: str) -> list[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.school_id == chain, AuditEntry.action == action)
    with sessions() as session:
        return list(session.scalars(wanted.order_by(AuditEntry.seq)))


def rows_of(page: str) -> list[str]:
    return re.findall(r"<tr>.*?</tr>", page.partition("<tbody>")[2], re.DOTALL)


def test_a_look_at_a_childs_day_is_noted_by_id_with_the_rest_sealed(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    student = school.students[0]
    assert staff.get(f"/students/{student}/day?day=2026-09-01").status_code == 200
    [entry] = entries(sessions, school.id, "student.day_seen")
    assert (entry.actor_kind, entry.subject) == ("staff", f"student:{student}")
    with sessions() as session:
        bodies = session.scalars(select(AuditDetail.body)).all()
    assert bodies
    assert all(map(is_sealed, bodies))


def test_a_look_that_is_denied_or_finds_nothing_is_not_noted(
    staff: FlaskClient, log_in: LogIn, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    assert staff.get("/students/999999").status_code == 404
    guard = log_in(school.id, Role.GATE_GUARD, Scope.SCHOOL)
    assert guard.get(f"/students/{school.students[0]}").status_code == 403
    assert entries(sessions, school.id, "student.day_seen") == []


def test_a_page_that_stays_open_is_one_look_until_it_was_long_ago(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, part = f"/students/{school.students[0]}/day", {"HX-Request": "true"}

    def count() -> int:
        return len(entries(sessions, school.id, "student.day_seen"))

    staff.get(address, headers=part)
    assert count() == 1, "a first look counts, whatever it says of itself"
    staff.get(address, headers=part)
    assert count() == 1
    staff.get(address)
    assert count() == 2
    staff.get(f"{address}?day=2026-09-01", headers=part)
    assert count() == 3, "another day is another look"
    staff.get(f"{address}?day=2026-09-01", headers=part)
    assert count() == 3
    monkeypatch.setattr(looks, "SAME_LOOK", timedelta(0))
    staff.get(f"{address}?day=2026-09-01", headers=part)
    assert count() == 4


def test_the_newest_entries_are_on_top_and_older_ones_a_page_away(
    staff: FlaskClient, note_as_wang: Callable[..., None]
) -> None:
    for number in range(60):
        note_as_wang("student.day_seen", f"student:{9000 + number}")
    page = staff.get("/audit?action=student.day_seen").text
    rows = rows_of(page)
    assert len(rows) == 50
    assert "student 9059" in rows[0]
    assert "王老师" in rows[0]
    assert re.search(r"\d+ rows on this page", page)
    [following] = re.findall(r'href="([^"]*after=[^"]*)" rel="next"', page)
    rest = rows_of(staff.get(following.replace("&amp;", "&")).text)
    assert len(rest) == 10
    assert "student 9000" in rest[-1]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("action=reader.changed", {"reader 7"}),
        ("subject=student:5", {"student 5"}),
        ("actor=command", {"school 1"}),
        ("actor=staff:{wang}&subject=reader:7", {"reader 7"}),
        ("day={today}&subject=reader:7", {"reader 7"}),
        ("day={yesterday}", set()),
        ("day=nonsense&actor=nonsense&subject=student:5", {"student 5"}),
        ("after=nonsense&subject=student:5", {"student 5"}),
    ],
)
def test_entries_are_filtered(
    staff: FlaskClient,
    note_as_wang: Callable[..., None],
    sessions: sessionmaker[Session],
    school: SmallSchool,
    query: str,
    shown: set[str],
) -> None:
    note_as_wang("student.day_seen", "student:5")
    note_as_wang("reader.changed", "reader:7")
    with sessions.begin() as session:
        who = Actor("command", None, "root", "")
        note(session, school.id, who, "school.changed", "school:1")
        [wang] = session.scalars(select(Staff.id).where(Staff.login == school.login))
    today = (datetime.now(UTC) + timedelta(hours=8)).date()
    filled = query.format(wang=wang, today=today, yesterday=today - timedelta(days=1))
    page = staff.get(f"/audit?{filled}").text
    about = {
        re.sub(r"<[^>]*>", "", row[row.index('data-label="About"') :]) for row in rows_of(page)
    }
    assert {line.split(">")[1].strip().splitlines()[0].strip() for line in about} == shown


def test_details_unfold_on_demand_and_that_is_noted(
    staff: FlaskClient,
    note_as_wang: Callable[..., None],
    school: SmallSchool,
    sessions: sessionmaker[Session],
) -> None:
    note_as_wang("student.changed", "student:5", name=["张三", "张叁"], phone="13800001111")
    [entry] = entries(sessions, school.id, "student.changed")
    assert "13800001111" not in staff.get("/audit").text
    part = staff.post(f"/audit/{entry.seq}", headers={"HX-Request": "true"})
    assert part.status_code == 200
    for shown in ("张三 → 张叁", "13800001111", "王老师", "10.1.2.3"):
        assert shown in part.text
    assert "<html" not in part.text
    assert "13800001111" in staff.post(f"/audit/{entry.seq}").text
    looks = entries(sessions, school.id, "audit.detail_seen")
    assert [one.subject for one in looks] == [f"audit:{entry.seq}"] * 2


def test_erased_details_are_shown_as_erased(
    staff: FlaskClient,
    note_as_wang: Callable[..., None],
    school: SmallSchool,
    sessions: sessionmaker[Session],
) -> None:
    note_as_wang("student.day_seen", "student:5", day="2026-09-01")
    [entry] = entries(sessions, school.id, "student.day_seen")
    with sessions.begin() as session:
        erase_details(session, school.id, "student:5", Actor("system", None, "", ""))
    [row] = rows_of(staff.get("/audit?action=student.day_seen").text)
    assert "erased" in row
    assert "<button" not in row
    assert "2026-09-01" not in staff.post(f"/audit/{entry.seq}").text


def test_a_detail_that_was_changed_is_not_shown_as_if_it_were_true(
    staff: FlaskClient,
    note_as_wang: Callable[..., None],
    school: SmallSchool,
    sessions: sessionmaker[Session],
) -> None:
    note_as_wang("student.day_seen", "student:5", day="2026-09-01")
    [entry] = entries(sessions, school.id, "student.day_seen")
    forged = b'{"salt":"","name":"Forged","address":"","reason":"","details":{}}'
    with sessions.begin() as session:
        session.execute(update(AuditDetail).where(AuditDetail.seq == entry.seq).values(body=forged))
    page = staff.post(f"/audit/{entry.seq}").text
    assert "Forged" not in page
    assert "not what was once noted" in page


def test_a_school_reads_its_own_log_alone(
    staff: FlaskClient, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
        who = Actor("staff", None, "外校老师", "10.9.9.9")
        for chain in (other.id, None):
            for _ in range(40):
                note(session, chain, who, "student.day_seen", "student:777")
    assert "student 777" not in staff.get("/audit").text
    assert staff.post("/audit/39").status_code == 404
    assert "外校" not in staff.get("/audit").text


@pytest.mark.parametrize("role", [Role.DISTRICT_ADMIN, Role.AUDITOR])
def test_the_districts_log_is_for_the_districts_staff(
    log_in: LogIn, school: SmallSchool, sessions: sessionmaker[Session], role: Role
) -> None:
    who = Actor("staff", None, "", "")
    with sessions.begin() as session:
        note(session, None, who, "school.made", "school:888")
        note(session, school.id, who, "reader.made", "reader:999")
    browser = log_in(None, role, Scope.DISTRICT)
    page = browser.get("/audit").text
    assert "school 888" in page
    assert "reader 999" not in page
    assert browser.get("/audit?export=csv").status_code == 200
    [made] = entries(sessions, DISTRICT, "school.made")
    assert browser.post(f"/audit/{made.seq}").status_code == 200


def test_an_auditor_of_a_school_finds_the_log_and_nothing_else(
    log_in: LogIn, school: SmallSchool
) -> None:
    browser = log_in(school.id, Role.AUDITOR, Scope.SCHOOL)
    assert browser.get("/home").location == "/audit"
    page = browser.get("/audit").text
    nav = page.partition('<nav class="sections"')[2].partition("</nav>")[0]
    assert re.findall(r'href="([^"]*)"', nav) == ["/audit"]
    for path in ("/board", "/students", f"/students/{school.students[0]}", "/messages"):
        assert browser.get(path).status_code == 403


@pytest.mark.parametrize("role", [Role.LIBRARIAN, Role.LAB_TEACHER, Role.GATE_GUARD])
def test_nobody_else_reads_it(
    log_in: LogIn, school: SmallSchool, note_as_wang: Callable[..., None], role: Role
) -> None:
    note_as_wang("student.day_seen", "student:5")
    browser = log_in(school.id, role, Scope.SCHOOL)
    assert browser.get("/audit").status_code == 403
    assert browser.post("/audit/1").status_code == 403


def test_the_log_can_be_taken_along_and_that_is_noted(
    staff: FlaskClient,
    note_as_wang: Callable[..., None],
    school: SmallSchool,
    sessions: sessionmaker[Session],
) -> None:
    note_as_wang("student.day_seen", "student:5", phone="13800001111")
    answer = staff.get("/audit?action=student.day_seen&export=csv")
    assert "13800001111" not in answer.text
    heads, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert heads[:3] == ["Number", "Time", "Who"]
    assert (row[2], row[5], row[6]) == ("王老师", "student.day_seen", "student:5")
    assert len(entries(sessions, school.id, "export.taken")) == 1


def test_the_canary_is_in_no_log_line(
    staff: FlaskClient,
    school: SmallSchool,
    sessions: sessionmaker[Session],
    note_as_wang: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with sessions.begin() as session:
        add_tap(session, school, 0)
    note_as_wang("student.changed", "student:5", name="金丝雀", phone="13800001111")
    [entry] = entries(sessions, school.id, "student.changed")
    staff.get(f"/students/{school.students[0]}")
    staff.get("/audit")
    assert "金丝雀" in staff.post(f"/audit/{entry.seq}").text
    logged = capfd.readouterr()
    for canary in ("金丝雀", "13800001111", "张三"):
        assert canary not in logged.out + logged.err + caplog.text


def test_what_pages_note_makes_a_whole_chain(
    staff: FlaskClient, school: SmallSchool, engine: Engine
) -> None:
    for student in school.students:
        staff.get(f"/students/{student}")
    with snapshot(engine) as connection:
        report = verify_chain(connection, school.id)
    assert report.is_whole
    assert report.entries >= len(school.students)
    assert report.plain == 0


def test_every_action_that_is_noted_has_its_word() -> None:
    noted: set[str] = set()
    for path in Path(card_server.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not {"note", "note_look"}.isdisjoint(_imports(tree)) or path.name == "writing.py":
            noted |= set(_dotted_words(tree))
    assert len(noted) > 20
    modules = {word for word in noted if word.startswith("card_server.")}
    assert noted - modules - ACTIONS.keys() == set()


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (one.name for one in node.names)


def _dotted_words(tree: ast.AST) -> Iterator[str]:
    """Like `staff.log_in`; not those that name a page's route or its template."""
    of_pages = {
        id(one)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"url_for", "Section", "may"}
        for one in call.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in of_pages:
            text = node.value
            if isinstance(text, str) and re.fullmatch(r"[a-z_]+\.(?!html$)[a-z_]+", text):
                yield text
