"""The roster's other ways: photos in, a service to fetch from, and the way out with a reason."""

from datetime import UTC, date, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import request
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api import roster_way_shapes as shapes
from card_server.api.files import OVERHEAD, answers_file, file_answer, sent_file, takes_file
from card_server.api.people_routes import ADMINS, seal, typed_of
from card_server.api.problems import refuse
from card_server.api.requests import language_in_use
from card_server.background import asker_in_use
from card_server.field_errors import FieldsError
from card_server.field_errors import marked as _
from card_server.imports.roster import pull
from card_server.imports.roster.apply import Importing
from card_server.imports.roster.giving import XLSX_TYPE, ZIP_TYPE, Giving, give_roster
from card_server.imports.roster.job import FETCH
from card_server.imports.roster.photos import MOST_UPLOAD, import_photos
from card_server.imports.roster.register_sheets import Days
from card_server.jobs.queue import ask_once
from card_server.school_time import day_of
from schema.tables.roster import RosterService

routes = APIBlueprint("roster_ways", __name__, tag="Roster", url_prefix="/roster")


@routes.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the body."""
    if endpoint == "roster_ways.send_photos":
        request.max_content_length = MOST_UPLOAD + OVERHEAD


@routes.post("/photos")
@allow(*ADMINS)
@takes_file
@routes.output(shapes.PhotoImport)
def send_photos() -> Any:
    """Keep the pictures of a zip, of 50 MB at most, that are named by student number."""
    school, zipped = school_in_use(), sent_file()
    doing = Importing(school.id, school.zone, actor(), datetime.now(UTC), seal())
    with changing_session() as session:
        return import_photos(session, doing, zipped.stream)._asdict()


@routes.get("/service")
@allow(*ADMINS)
@routes.output(shapes.Service)
@routes.doc(responses=[404])
def service() -> Any:
    """Where the roster is fetched from; 404 while nobody has said."""
    with school_session() as session:
        return _find_service(session)


@routes.put("/service")
@allow(*ADMINS)
@routes.input(shapes.NewService, arg_name="sent")
@routes.output(shapes.Service)
def keep_service(sent: shapes.NewService) -> Any:
    """Say from which OneRoster service the roster is fetched; a secret that is left out stays."""
    school_id, now = school_in_use().id, datetime.now(UTC)
    with changing_session() as session:
        is_new = pull.find_service(session, school_id) is None
        wanted = pull.read_settings(typed_of({}, sent.model_dump()), is_new=is_new)
        pull.keep_service(session, actor(), school_id, wanted, now, seal())
        return _find_service(session)


@routes.delete("/service")
@allow(*ADMINS)
@routes.output({}, status_code=204)
def remove_service() -> Any:
    """Fetch from nowhere any more, and keep the secret no longer."""
    with changing_session() as session:
        pull.remove_service(session, actor(), school_in_use().id)
    return ""


@routes.post("/service/fetch")
@allow(*ADMINS)
@routes.output(shapes.FetchJob, status_code=201)
def fetch() -> Any:
    """Fetch the roster in the background; what comes waits among the imports to be compared."""
    with changing_session() as session:
        asker = asker_in_use(language_in_use())
        return {"job_id": ask_once(session, asker, FETCH, {}, datetime.now(UTC))}


@routes.post("/export")
@allow(*ADMINS)
@routes.input(shapes.RosterExport, arg_name="sent")
@answers_file(ZIP_TYPE, XLSX_TYPE)
def give(sent: shapes.RosterExport) -> Any:
    """The roster for another system: a OneRoster 1.2 zip, or a sheet for a register system.

    The reason is noted.
    """
    school, now = school_in_use(), datetime.now(UTC)
    days = _read_days(sent, day_of(now, school.zone))
    doing = Giving(school.id, school.zone, actor(), sent.reason, now, seal())
    with changing_session() as session:
        made = give_roster(session, doing, sent.kind, days)
    return file_answer(made.body, made.media_type, made.name)


def _read_days(sent: shapes.RosterExport, today: date) -> Days:
    days = Days(sent.first or today, sent.last or today)
    if days.first > days.last:
        said = _("Choose a first day and a last one that is not before it.")
        raise FieldsError({"first": said})
    return days


def _find_service(session: Session) -> RosterService:
    found = pull.find_service(session, school_in_use().id)
    if found is None:
        raise refuse(404)
    return found
