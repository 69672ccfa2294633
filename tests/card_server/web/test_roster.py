"""The roster's pages: a file is taken in, judged, mended, and imported, by administrators alone."""

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from schema.tables.audit import AuditEntry
from schema.tables.people import Guardian, Guardianship, Student
from schema.tables.roster import RosterImport, RosterMapping, RosterState
from schema.tables.school import School
from tests.card_server.jobs.desk import do_next
from tests.card_server.web.small_school import SmallSchool, make_school

HEADER = "学号,姓名,性别,班级,母亲姓名,母亲电话"
ROWS = (
    "20270001,钱一,女,高一(1)班,孙二,13800138001",
    "20270002,李三,男,高一(2)班,孙二,13800138001",
    "20270003,周五,男,高一(2)班,吴六,13900139000",
)
KNOWN = ("张三", "李四", "王小明", "赵雪", "欧阳娜", "刘洋", "陈晨", "杨柳")


def sheet(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *rows)).encode()


def all_known() -> list[str]:
    """The rows of those whom the school has, as it has them."""
    return [
        f"2026{number:04},{name},,高一({number % 2 + 1})班,," for number, name in enumerate(KNOWN)
    ]


def send(client: FlaskClient, body: bytes, name: str = "名单.csv") -> int:
    """Hand a file in; the id of the import."""
    answer = client.post("/roster", data={"file": (io.BytesIO(body), name)})
    assert answer.status_code == 302, answer.text
    found = re.search(r"/roster/(\d+)", answer.location)
    assert found
    return int(found[1])


def take_columns(client: FlaskClient, import_id: int, **changes: str) -> TestResponse:
    """Agree with what is proposed, but for these."""
    page = client.get(f"/roster/{import_id}/columns").text
    form = dict(re.findall(r'name="(column-\d+|columns|found_profile)" value="([^"]*)"', page))
    for column, options in re.findall(r'<select name="(column-\d+)".*?>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        form[column] = chosen[1] if chosen else ""
    return client.post(f"/roster/{import_id}/columns", data=form | changes)


def compare(client: FlaskClient, engine: Engine, body: bytes) -> int:
    import_id = send(client, body)
    assert take_columns(client, import_id).status_code == 302
    assert do_next(engine)
    return import_id


def start(client: FlaskClient, import_id: int, **form: str) -> TestResponse:
    page = client.get(f"/roster/{import_id}").text
    seen = re.search(r'name="seen" value="([0-9a-f]*)"', page)
    return client.post(
        f"/roster/{import_id}/import", data={"seen": seen[1] if seen else "", **form}
    )


def count(sessions: sessionmaker[Session], table: type) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_file_is_shown_first_and_imported_when_somebody_says_so(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    import_id = compare(staff, engine, sheet(*all_known(), *ROWS))
    page = staff.get(f"/roster/{import_id}?list=new").text
    assert "钱一" in page
    assert '<dd id="count-new">3</dd>' in page
    assert count(sessions, Student) == 8
    assert start(staff, import_id).status_code == 302
    assert do_next(engine)
    assert "The roster is in." in staff.get(f"/roster/{import_id}").text
    with sessions() as session:
        new = session.scalars(select(Student).where(Student.number.like("2027%"))).all()
        assert sorted(one.name for one in new) == ["周五", "李三", "钱一"]
        mother = session.scalars(select(Guardian).where(Guardian.name == "孙二")).one()
        children = select(func.count()).where(Guardianship.guardian_id == mother.id)
        assert session.scalar(children) == 2
        row = session.get_one(RosterImport, import_id)
        assert (row.state, row.body_sealed, row.view_sealed) == (RosterState.DONE, None, None)
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.school_id == school.id)
        ).all()
        assert actions.count("roster.imported") == 1


def test_the_same_file_again_changes_nothing_and_says_so(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    body = sheet(*all_known(), *ROWS)
    start(staff, compare(staff, engine, body))
    assert do_next(engine)
    with sessions() as session:
        version = session.get_one(School, school.id).register_version
    again = compare(staff, engine, body)
    assert "Nothing would change" in staff.get(f"/roster/{again}").text
    start(staff, again)
    assert do_next(engine)
    assert "Nothing changed" in staff.get(f"/roster/{again}").text
    with sessions() as session:
        assert session.get_one(School, school.id).register_version == version


def test_what_is_wrong_is_mended_on_the_page_and_nothing_is_written_before(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    rows = ("20270001,,女,高一(1)班,孙二,13800138001", "2.0E+09,李三,男,高一(2)班,,", ROWS[2])
    import_id = compare(staff, engine, sheet(*all_known(), *rows))
    page = staff.get(f"/roster/{import_id}").text
    assert "The name is missing." in page
    assert "Row 11 李三" in page, "whose row it is"
    assert "Row 10 20270001" in page, "or else the number"
    assert "lost digits" in page
    assert start(staff, import_id).status_code == 409
    assert count(sessions, Student) == 8
    form = {"cell-10-1": "钱一", "cell-11-0": "2.0E+09", "without-11": "1"}
    assert staff.post(f"/roster/{import_id}/mend", data=form).status_code == 302
    assert do_next(engine)
    page = staff.get(f"/roster/{import_id}").text
    assert '<dd id="count-new">2</dd>' in page
    start(staff, import_id)
    assert do_next(engine)
    assert count(sessions, Student) == 10


def test_columns_are_corrected_and_remembered(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    header = "代号,姓名,性别,班级,母亲姓名,母亲电话"
    import_id = send(staff, sheet(*all_known(), header=header))
    assert "not known" in staff.get(f"/roster/{import_id}/columns").text
    take_columns(staff, import_id, **{"column-0": "number"})
    assert do_next(engine)
    assert '<dd id="count-unchanged">8</dd>' in staff.get(f"/roster/{import_id}").text
    assert count(sessions, RosterMapping) == 1
    again = send(staff, sheet(*all_known(), header=header))
    assert "you said so" in staff.get(f"/roster/{again}/columns").text


def test_columns_that_are_surely_not_kept_are_out_of_the_way(staff: FlaskClient) -> None:
    header = "学号,姓名,班级,邮政编码,乐器"
    rows = [f"2026{number:04},{name},高一(1)班,100000,笛" for number, name in enumerate(KNOWN)]
    page = staff.get(f"/roster/{send(staff, sheet(*rows, header=header))}/columns").text
    shown, folded = page.split('<details id="unkept">')
    assert "邮政编码" in folded
    assert "邮政编码" not in shown
    assert "乐器" in shown, "what nobody knows is for a person to say"
    assert 'name="column-3"' in folded, "and is sent with the form all the same"


def test_what_no_way_of_reading_opens_is_not_asked_about(staff: FlaskClient) -> None:
    import_id = send(staff, b"%PDF-1.7 hello", "名单.xlsx")
    page = staff.get(f"/roster/{import_id}/columns").text
    assert "Another file" in page
    assert 'name="encoding"' not in page


def test_half_a_file_waits_for_a_yes(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session]
) -> None:
    import_id = compare(staff, engine, sheet(*all_known()[:4]))
    answer = start(staff, import_id)
    assert answer.status_code == 409
    assert "4 of 8 students would not be named any more" in answer.text
    assert start(staff, import_id, yes="1").status_code == 302
    assert do_next(engine)
    with sessions() as session:
        gone = session.scalars(select(Student).where(Student.gone_at.is_not(None))).all()
    assert len(gone) == 4
    assert count(sessions, Student) == 8


def test_a_school_that_changed_since_is_looked_at_once_more(
    staff: FlaskClient, engine: Engine, sessions: sessionmaker[Session], school: SmallSchool
) -> None:
    import_id = compare(staff, engine, sheet(*all_known(), *ROWS))
    with sessions.begin() as session:
        session.add(
            Student(
                school_id=school.id,
                number="20270001",
                name="另一人",
                homeroom_id=school.homerooms[0],
            )
        )
    start(staff, import_id)
    assert do_next(engine)
    assert "The school has changed since you looked" in staff.get(f"/roster/{import_id}").text
    assert count(sessions, Student) == 9
    staff.post(f"/roster/{import_id}/check")
    assert do_next(engine)
    assert '<dd id="count-new">2</dd>' in staff.get(f"/roster/{import_id}").text


def test_personal_numbers_are_masked_on_every_step(staff: FlaskClient, engine: Engine) -> None:
    header = HEADER + ",身份证件号"
    rows = [f"{ROWS[0]},110101201401010014", f"{ROWS[1]},110101201401010022"]
    import_id = send(staff, sheet(*rows, header=header))
    columns = staff.get(f"/roster/{import_id}/columns").text
    take_columns(staff, import_id)
    assert do_next(engine)
    pages = [columns] + [
        staff.get(f"/roster/{import_id}?list={name}").text for name in ("findings", "new")
    ]
    for page in pages:
        assert "13800138001" not in page
        assert "201401010" not in page


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"", "The file is empty"), (b"a,b\n1,2\n", "No row with the names of the columns")],
)
def test_what_is_no_roster_is_answered_with_a_sentence(
    staff: FlaskClient, body: bytes, said: str
) -> None:
    answer = staff.post("/roster", data={"file": (io.BytesIO(body), "x.csv")})
    if answer.status_code == 302:
        answer = staff.get(answer.location)
    assert said in answer.text


def test_an_uncertain_encoding_is_asked_for(staff: FlaskClient) -> None:
    """Bytes that are UTF-8 and GB18030 alike."""
    import_id = send(staff, "学号,姓名,班级\n1,张三,高一(1)班\n".encode("gb18030"))
    assert "Encoding: GB18030" in staff.get(f"/roster/{import_id}/columns").text
    staff.post(f"/roster/{import_id}/columns", data={"encoding": "utf-16"})
    page = staff.get(f"/roster/{import_id}/columns").text
    assert "does not fit this encoding" in page
    assert 'name="encoding"' in page


def test_another_schools_file_is_not_there(
    staff: FlaskClient, app: Flask, sessions: sessionmaker[Session], engine: Engine
) -> None:
    with sessions.begin() as session:
        other = make_school(session, "no2")
    theirs = app.test_client()
    theirs.post("/log-in", data={"login": other.login, "password": other.password})
    chosen = {"password": "correct horse battery", "again": "correct horse battery"}
    theirs.post("/password", data=chosen)
    import_id = compare(staff, engine, sheet(*ROWS))
    assert theirs.get(f"/roster/{import_id}").status_code == 404
    assert theirs.get(f"/roster/{import_id}/columns").status_code == 404
    for path in ("check", "mend", "import", "discard", "package"):
        assert theirs.post(f"/roster/{import_id}/{path}").status_code == 404


def test_a_discarded_file_is_gone(staff: FlaskClient, sessions: sessionmaker[Session]) -> None:
    import_id = send(staff, sheet(*ROWS))
    staff.post(f"/roster/{import_id}/discard")
    assert "not kept any more" in staff.get(f"/roster/{import_id}").text
    with sessions() as session:
        assert session.get_one(RosterImport, import_id).body_sealed is None
