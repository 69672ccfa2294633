"""A homeroom waits for the gates of its campus and for those of all; others hold up nobody."""

import pytest
from sqlalchemy import Engine, update

from card_server.attendance.dark_gates import judge_without
from card_server.attendance.deadlines import NO_GATE
from card_server.attendance.serving_gates import reported_by_room
from card_server.audit.writing import Actor
from card_server.errors import AppError
from card_server.storage.database import open_sessions
from schema.tables.attendance import Deadline
from schema.tables.readers import Reader
from schema.tables.school import Campus, Homeroom
from tests.card_server.attendance.judged_school import MONDAY, READERS, JudgedSchool, at

HERE, THERE = "here", "there"


@pytest.fixture
def school(engine: Engine) -> JudgedSchool:
    """The morning's time has come; `gate-out` is dark since 08:10."""
    school = JudgedSchool(open_sessions(engine))
    school.tick(at(MONDAY, "00:01"))
    school.report(at(MONDAY, "08:45"), "gate-in", "gate")
    school.report(at(MONDAY, "08:10"), "gate-out")
    return school


def _place(school: JudgedSchool, room: str | None, **readers: str) -> None:
    """Put the homeroom and some readers into campuses."""
    with school.sessions.begin() as session:
        ids: dict[str | None, int | None] = {None: None}
        for name in (HERE, THERE):
            campus = Campus(school_id=school.school_id, name=name)
            session.add(campus)
            session.flush()
            ids[name] = campus.id
        session.execute(update(Homeroom).values(campus_id=ids[room]))
        for code, place in readers.items():
            reader = session.get_one(Reader, school.campus.readers[code.replace("_", "-")])
            reader.campus_id = ids[place]


@pytest.mark.parametrize(
    ("room", "readers", "is_judged"),
    [
        (HERE, {}, False),
        (HERE, {"gate_out": THERE}, True),
        (HERE, {"gate_out": HERE}, False),
        (HERE, {"gate_in": HERE, "gate_out": THERE}, True),
        (HERE, {"gate_in": THERE}, False),
        (None, {"gate_out": THERE}, False),
        (None, {}, False),
        (THERE, {"gate_in": HERE, "gate_out": HERE}, True),
    ],
    ids=str,
)
def test_only_gates_that_serve_the_homeroom_hold_it_up(
    school: JudgedSchool, room: str | None, readers: dict[str, str], is_judged: bool
) -> None:
    _place(school, room, **readers)
    school.tick(at(MONDAY, "08:46"))
    assert (school.day(3) is not None) == is_judged
    [morning] = [one for one in school.rows(Deadline) if one.position == 1]
    waiting = "" if is_judged else str(school.campus.readers["gate-out"])
    assert morning.waiting_for == waiting
    with school.sessions() as session:
        [until] = reported_by_room(session, school.school_id).values()
    assert (until == at(MONDAY, "08:45")) == is_judged


def test_where_no_gate_serves_a_homeroom_nobody_is_absent(school: JudgedSchool) -> None:
    _place(school, HERE, **{code.replace("-", "_"): THERE for code in READERS})
    school.tick(at(MONDAY, "23:30"))
    sessions = [one for one in school.rows(Deadline) if one.position in (1, 2)]
    assert {(one.judged_at, one.waiting_for) for one in sessions} == {(None, NO_GATE)}
    assert school.day(3) is None


def test_one_gate_of_the_campus_must_be_left_to_judge_by(school: JudgedSchool) -> None:
    _place(school, HERE, gate_out=HERE, gate_in=THERE, gate=THERE)
    reader, head = school.campus.readers["gate-out"], Actor("staff", 1, "校长", "")
    with school.sessions() as session, pytest.raises(AppError, match="everybody would be absent"):
        judge_without(session, head, school.school_id, MONDAY, reader, "停电", at(MONDAY, "09:00"))
