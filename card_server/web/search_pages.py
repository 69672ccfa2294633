"""One search for everything that the caller may open (全局搜索)."""

from collections.abc import Iterator
from typing import NamedTuple

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import allow, may, school_in_use, school_session
from card_server.reports.school_search import Answers, search_school
from card_server.web.fragments import render_part
from card_server.web.sections import all_open
from card_server.web.student_pages import FINDING

_LONGEST = 100

pages = Blueprint("search", __name__)


class Hit(NamedTuple):
    """One thing to go to."""

    address: str
    label: str
    hint: str = ""


class Hits(NamedTuple):
    """What was found of one kind."""

    title: str
    hits: list[Hit]


@pages.get("/search")
@allow(*FINDING)
def show() -> ResponseReturnValue:
    """The empty search."""
    return render_template("search.html", words="", found=[])


@pages.post("/search")
@allow(*FINDING)
def find() -> ResponseReturnValue:
    """What matches; by POST, because a name must not stand in an address."""
    words = request.form.get("words", "")[:_LONGEST]
    with school_session() as session:
        answers = search_school(session, school_in_use().id, words)
    found = [group for group in _group(words, answers) if group.hits]
    return render_part("search.html", "search_part.html", words=words, found=found)


def _group(words: str, answers: Answers) -> Iterator[Hits]:
    """The hits by kind, of the kinds that the caller may open."""
    if may("students.show_student"):
        yield Hits(
            gettext("Students"),
            [
                Hit(
                    url_for("students.show_student", student_id=one.id),
                    one.name,
                    f"{one.homeroom} · {one.number}",
                )
                for one in answers.students
            ],
        )
    if may("board.show"):
        rooms = [Hit(_room_address(one.id), one.name) for one in answers.homerooms]
        yield Hits(gettext("Homerooms"), rooms)
    if may("readers.show"):
        readers = [
            Hit(url_for("readers.show", _anchor=f"reader-{one.code}"), one.name, one.place)
            for one in answers.readers
        ]
        yield Hits(gettext("Readers"), readers)
    wanted = " ".join(words.lower().split())
    entries = [entry for entry in all_open() if wanted and wanted in str(entry.label).lower()]
    yield Hits(gettext("Pages"), [Hit(entry.address, str(entry.label)) for entry in entries])


def _room_address(homeroom_id: int) -> str:
    return url_for("board.show", homeroom=homeroom_id, _anchor="people")
