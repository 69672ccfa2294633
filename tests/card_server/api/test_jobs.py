"""What programs read of background jobs."""

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from card_server.staff.scope import WHOLE_SCHOOL
from schema.tables.jobs import Job, JobState
from tests.card_server.api.programs import make_program
from tests.card_server.web.small_school import SmallSchool, add_job, make_school


def test_a_program_pages_through_the_schools_jobs_newest_first(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        jobs = [add_job(session, school) for _ in range(3)]
        other = add_job(session, make_school(session, "no2"))
    program = make_program(app, sessions, school, WHOLE_SCHOOL)
    first = program.get("/jobs?limit=2").get_json()
    assert [job["id"] for job in first["items"]] == jobs[:0:-1]
    cursor = first["next"].split("/api/v1")[1]
    second = program.get(cursor).get_json()
    assert [job["id"] for job in second["items"]] == jobs[:1]
    assert second["next"] is None
    assert program.get(f"/jobs/{other}").status_code == 404


def test_a_job_says_how_far_it_is_and_what_came_of_it(
    app: Flask, school: SmallSchool, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        job_id = add_job(session, school, state=JobState.RUNNING)
        session.execute(update(Job).values(done=3, total=9))
    program = make_program(app, sessions, school, WHOLE_SCHOOL)
    found = program.get(f"/jobs/{job_id}").get_json()
    assert (found["state"], found["done"], found["total"]) == ("running", 3, 9)
    assert (found["message"], found["finished_at"]) == ("", None)
    with sessions.begin() as session:
        session.execute(
            update(Job).values(
                state=JobState.DONE,
                finished_at=datetime.now(UTC),
                message="The file is ready and holds all %(rows)s rows.",
                message_values='{"rows": 9}',
            )
        )
    found = program.get(f"/jobs/{job_id}").get_json()
    assert found["message"] == "The file is ready and holds all 9 rows."
