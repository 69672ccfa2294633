"""A judged school whose calendar changed afterwards, and somebody who has its days judged anew."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.recompute_asking import apply_trial, find_recomputation, open_trial
from card_server.attendance.recompute_job import Trial
from card_server.audit.writing import SYSTEM, Actor
from card_server.calendar.entries import read_settings, say
from card_server.jobs.queue import Asker
from card_server.staff.accounts import create_staff
from card_server.staff.scope import WHOLE_SCHOOL
from schema.messages import utc_now
from schema.tables.people import HomeroomStay, Language, Student
from schema.tables.school import Homeroom
from schema.tables.staff import Role, Staff
from tests.card_server.attendance.judged_school import MONDAY, JudgedSchool, at
from tests.card_server.jobs.desk import SEAL

CLOSED = {"day": str(MONDAY), "kind": "closed", "note": "台风停课"}
GRADE = 8
"""Of student 3; the others are of grade 7."""


def make_changed_school(sessions: sessionmaker[Session], students: int = 3) -> JudgedSchool:
    """On Monday student 1 was late, and nobody else came; since then Monday was closed."""
    made = JudgedSchool(sessions, students=students)
    with sessions.begin() as session:
        room = Homeroom(school_id=made.school_id, grade=GRADE, name="八(1)班")
        session.add(room)
        session.flush()
        session.execute(update(Student).where(Student.id == 3).values(homeroom_id=room.id))
        session.execute(
            update(HomeroomStay).where(HomeroomStay.student_id == 3).values(homeroom_id=room.id)
        )
    made.tick(at(MONDAY, "00:01"))
    made.record([made.pass_gate(1, MONDAY, "08:10")])
    over = at(MONDAY + timedelta(days=1), "00:20")
    made.report(over)
    made.tick(over)
    close(made)
    return made


def close(school: JudgedSchool) -> None:
    """Say that Monday was closed, as a page does."""
    with school.sessions.begin() as session:
        say(session, SYSTEM, school.school_id, read_settings(CLOSED), utc_now())


def room_of(school: JudgedSchool, student: int) -> int:
    """A student's homeroom."""
    with school.sessions() as session:
        return session.get_one(Student, student).homeroom_id


def add_head(sessions: sessionmaker[Session], school_id: int) -> str:
    """The one-time password of a school administrator with the login `head`."""
    with sessions.begin() as session:
        return create_staff(session, school_id, "head", "王老师", WHOLE_SCHOOL)


def asker_of(session: Session, school: JudgedSchool) -> Asker:
    """That administrator at the desk."""
    who = session.scalars(select(Staff).where(Staff.login == "head")).one()
    actor = Actor("staff", who.id, who.name, "127.0.0.1")
    roles = frozenset({Role.SCHOOL_ADMIN})
    return Asker(school.school_id, actor, who.id, who.name, roles, Language.ENGLISH)


def found_by(school: JudgedSchool, job_id: int) -> Trial:
    """What a try-out found."""
    with school.sessions() as session:
        job = find_recomputation(session, school.school_id, job_id)
    trial = open_trial(school.sessions, SEAL, job)
    assert trial is not None
    return trial


def ask_to_apply(school: JudgedSchool, trial_id: int) -> int:
    """The job that applies what a try-out found."""
    trial = found_by(school, trial_id)
    with school.sessions.begin() as session:
        job = find_recomputation(session, school.school_id, trial_id)
        return apply_trial(session, asker_of(session, school), job, trial, trial.seen, utc_now())
