"""The school's logo: the picture itself, in its own type."""

from datetime import UTC, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import actor, allow, changing_session, school_in_use, school_session
from card_server.api.matching import if_match, match_answer
from card_server.api.pictures import answers_picture, takes_picture
from card_server.api.problems import problem, refuse
from card_server.field_errors import FieldsError
from card_server.register import logos
from schema.tables.school import SchoolLogo
from schema.tables.staff import Role

routes = APIBlueprint("logo", __name__, tag="Settings", url_prefix="/school/logo")
_ADMINS = (Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN)
_MAX_UPLOAD = 1024 * 1024
"""More than a logo may have, so that a picture that is too large is answered with a sentence."""


@routes.url_value_preprocessor
def _allow_upload(endpoint: str | None, _values: object) -> None:
    """Before anything reads the body."""
    if endpoint == "logo.send_logo":
        request.max_content_length = _MAX_UPLOAD


@routes.get("")
@allow(*Role)
@answers_picture
def logo() -> Any:
    """The school's logo."""
    with school_session() as session:
        found = logos.find_logo(session, school_in_use().id)
    if found is None:
        raise refuse(404)
    return _answer(found)


@routes.put("")
@allow(*_ADMINS)
@if_match
@takes_picture
@routes.output({}, status_code=204)
def send_logo() -> Any:
    """Take the body, a PNG, JPEG or WebP of at most 200 KB, as the school's logo."""
    school_id = school_in_use().id
    try:
        sent = logos.read_logo(request.get_data())
    except FieldsError as error:
        return problem(422, " ".join(gettext(said) for said in error.fields.values()))
    with changing_session() as session:
        _match(session, school_id)
        logos.keep_logo(session, actor(), school_id, sent, datetime.now(UTC))
    return ""


@routes.delete("")
@allow(*_ADMINS)
@if_match
@routes.output({}, status_code=204)
def remove_logo() -> Any:
    """Leave the school without a logo of its own."""
    school_id = school_in_use().id
    with changing_session() as session:
        _match(session, school_id)
        logos.remove_logo(session, actor(), school_id)
    return ""


def _match(session: Session, school_id: int) -> None:
    row = session.get(SchoolLogo, school_id, with_for_update=True)
    match_answer(_answer(logos.Logo(row.media_type, row.body)) if row else None)


def _answer(found: logos.Logo) -> Response:
    return Response(found.body, mimetype=found.media_type)
