"""The cards of a whole school, drawn in the background by the job's own rights."""

import io
import threading
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.audit.details import seal_details
from card_server.audit.writing import Actor
from card_server.faces.job import FACES, parameters_of
from card_server.faces.printing import Output
from card_server.jobs.pieces import read_pieces
from card_server.jobs.queue import Asker, ask_for
from card_server.jobs.work import Worker
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL, Grant
from card_server.storage.database import open_sessions
from schema.tables.audit import AuditEntry
from schema.tables.jobs import Job, JobPart, JobState
from schema.tables.people import Language
from schema.tables.staff import Role, Scope, Staff
from tests.card_server.web.small_school import SEAL, SmallSchool, make_school


@pytest.fixture
def engine(engine: Engine) -> Engine:
    return seal_details(engine, bytes(32))


def _ask(session: Session, school: SmallSchool, grant: Grant) -> int:
    create_staff(session, school.id, "asker", "问", grant)
    who = session.scalars(select(Staff).where(Staff.login == "asker")).one()
    actor = Actor("staff", who.id, who.name, "")
    roles = frozenset({grant.role})
    asker = Asker(school.id, actor, who.id, who.name, roles, Language.CHINESE)
    return ask_for(session, asker, FACES, parameters_of(Output.SHEETS, []), datetime.now(UTC))


def _draw(engine: Engine, *, is_teacher: bool) -> str:
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        school = make_school(session)
        room = school.homerooms[0]
        teacher = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
        job_id = _ask(session, school, teacher if is_teacher else WHOLE_SCHOOL)
    assert Worker(engine, SEAL).do_next(threading.Event())
    with sessions() as session:
        job = session.get_one(Job, job_id)
        assert (job.state, job.media_type) == (JobState.DONE, "application/pdf")
        assert "face.printed" in session.scalars(select(AuditEntry.action)).all()
    body = b"".join(read_pieces(sessions, SEAL, job_id, JobPart.RESULT))
    return PdfReader(io.BytesIO(body)).pages[0].extract_text()


def test_the_whole_schools_cards_are_one_document(engine: Engine) -> None:
    text = _draw(engine, is_teacher=False)
    assert "张三" in text
    assert "李四" in text


def test_a_teachers_all_is_the_own_homeroom(engine: Engine) -> None:
    text = _draw(engine, is_teacher=True)
    assert "张三" in text
    assert "李四" not in text
