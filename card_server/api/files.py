"""Bodies that are a file: one that a program sends as a form, one that an answer is."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, request
from werkzeug.datastructures import FileStorage

from card_server.api.problems import refuse

View = TypeVar("View", bound=Callable[..., Any])
OVERHEAD = 64 * 1024
"""What a form has beside its file."""
_FILE = "file"
_FORM = "multipart/form-data"
_TAKES, _ANSWERS = "_takes_file", "_answers_file"
_BYTES = {"type": "string", "format": "binary"}


def takes_file(view: View) -> View:
    """This route's request is a form with one `file` and nothing else."""
    setattr(view, _TAKES, True)
    return view


def answers_file(*types: str) -> Callable[[View], View]:
    """This route answers a file of one of these types."""

    def mark(view: View) -> View:
        setattr(view, _ANSWERS, types)
        return view

    return mark


def describe_files(view: Callable[..., Any], operation: dict[str, Any]) -> None:
    """Say so in the route's part of the document."""
    if getattr(view, _TAKES, False):
        form = {
            "type": "object",
            "properties": {_FILE: _BYTES},
            "required": [_FILE],
            "additionalProperties": False,
        }
        operation["requestBody"] = {"content": {_FORM: {"schema": form}}}
    types = getattr(view, _ANSWERS, ())
    if types:
        content = {kind: {"schema": _BYTES} for kind in types}
        operation["responses"]["200"] = {"description": "The file.", "content": content}


def sent_file() -> FileStorage:
    """The file of the request. Raises 415 for another kind of body, 422 for another form."""
    if request.mimetype != _FORM:
        raise refuse(415)
    files = request.files.getlist(_FILE)
    others = {*request.form, *request.files} - {_FILE}
    wrong = [("form", name) for name in sorted(others)]
    if len(files) != 1 or _FILE in request.form:
        wrong.append(("form", _FILE))
    if wrong:
        raise refuse(422, *wrong)
    return files[0]


def file_answer(body: bytes, media_type: str, name: str) -> Response:
    """A file to be kept under this name; no cache keeps it."""
    answer = Response(body, mimetype=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
