"""Who is on campus now (在校), to look at, to search, and to print for an evacuation."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from card_server.access import allow, now, school_in_use, school_session
from card_server.exports.on_campus import FILTERS, ON_CAMPUS, read_wanted
from card_server.reports.evacuation import find_running
from card_server.reports.marked_list import count_marked, list_marked
from card_server.reports.on_campus import (
    SORTS,
    Boards,
    OnCampus,
    Part,
    Wanted,
    count_inside,
    list_inside,
    list_unsure,
    read_counts,
    read_gates,
)
from card_server.reports.rolls import Roll, read_rolls
from card_server.reports.sheet_rooms import SheetRoom, read_rooms
from card_server.web.downloads import send_list
from card_server.web.export import asked_export
from card_server.web.fragments import render_part
from card_server.web.roll_words import line_writer
from card_server.web.tables import PAGE_ROWS, Column, count_page, cut_page, read_asked
from card_server.words.grades import grade_word
from schema.tables.staff import Role

pages = Blueprint("campus", __name__)
SEEING = (
    Role.DISTRICT_ADMIN,
    Role.SCHOOL_ADMIN,
    Role.HOMEROOM_TEACHER,
    Role.SUBJECT_TEACHER,
    Role.GATE_GUARD,
)
_APART = {"unsure": list_unsure, "marked": list_marked}
"""Lists beside that of those on campus, by what the address calls them."""
_COLUMNS = (
    Column(lazy_gettext("Full name"), "name"),
    Column(lazy_gettext("Student number"), "number"),
    Column(lazy_gettext("Homeroom"), "homeroom"),
    Column(lazy_gettext("Inside since"), "since"),
    Column(lazy_gettext("Last gate"), "gate"),
    Column(lazy_gettext("To note")),
)


@pages.get("/campus")
@allow(*SEEING)
def show() -> ResponseReturnValue:
    """The counts by homeroom and gate, and the list."""
    if kind := asked_export():
        return send_list(kind, ON_CAMPUS, read_asked(SORTS, FILTERS, "homeroom").filters)
    return _show("")


@pages.post("/campus")
@allow(*SEEING)
def search() -> ResponseReturnValue:
    """Who answers to the words; by POST, because a name must not stand in an address."""
    return _show(request.form.get("words", "")[:100])


def _show(words: str) -> ResponseReturnValue:
    school_id, moment = school_in_use().id, now()
    asked = read_asked(SORTS, (*FILTERS, "show"), "homeroom")
    wanted = read_wanted(asked.filters, words)
    with school_session() as session:
        counts = read_counts(session, school_id, moment)
        unseen = count_inside(session, school_id, Wanted(boards=Boards.UNSEEN), moment)
        running = find_running(session, school_id)
        marked = count_marked(session, school_id, moment)
        if (apart := _APART.get(asked.filters.get("show", ""))) is not None:
            page = cut_page(apart(session, school_id, wanted, moment), asked)
        else:
            total = counts.inside
            if wanted != Wanted():
                total = count_inside(session, school_id, wanted, moment)
            number = min(asked.page, max(1, -(-total // PAGE_ROWS)))
            first = (number - 1) * PAGE_ROWS
            part = Part(asked.sort, asked.is_descending, first, PAGE_ROWS)
            found = list_inside(session, school_id, wanted, moment, part)
            page = count_page(found, asked, number, total)
    return render_part(
        "campus.html",
        "campus_part.html",
        asked=asked,
        columns=_COLUMNS,
        counts=counts,
        gates=_gate_choices(counts),
        is_apart=asked.filters.get("show", "") in _APART,
        marked=marked,
        is_filtered=bool(asked.filters) or bool(words.strip()),
        now=moment,
        page=page,
        rooms=[(one.homeroom_id, one.homeroom) for one in counts.rooms],
        running=running,
        unseen=unseen,
        words=words,
    )


def _gate_choices(counts: OnCampus) -> list[tuple[int, str]]:
    """The gates, and whom a guard wrote down, with how many came by each."""
    names = {one.reader_id: one.name for one in counts.gates}
    names |= {one.reader_id: one.name for one in counts.retired if one.reader_id in counts.by_gate}
    others = counts.by_gate.keys() - names.keys()
    names |= {one: gettext("by hand") if one == 0 else gettext("other reader") for one in others}
    return [(one, f"{name} ({counts.by_gate.get(one, 0)})") for one, name in names.items()]


@pages.get("/campus/print")
@allow(*SEEING)
def show_print() -> ResponseReturnValue:
    """Everybody on campus by homeroom, with a box to tick beside each, for paper."""
    school_id, moment = school_in_use().id, now()
    asked = read_asked(filters=("grade", "homeroom"))
    with school_session() as session:
        gates = read_gates(session, school_id)
        rooms = read_rooms(session, school_id)
        grades = sorted({one.grade for one in rooms})
        grade = next((one for one in grades if str(one) == asked.filters.get("grade")), None)
        chosen = _chosen_room(rooms, grade, read_wanted(asked.filters).homeroom_id)
        rolls = read_rolls(session, school_id, moment, grade=grade, homeroom_id=chosen)
    write = line_writer(moment)
    return render_template(
        "campus_print.html",
        asked=asked,
        chosen=chosen,
        gates=gates,
        grades=[(one, grade_word(one)) for one in grades],
        now=moment,
        rolls=[(one, write(one), write(Roll(one.homeroom, one.marked))) for one in rolls],
        rooms=[(one.id, one.name) for one in rooms if grade in (None, one.grade)],
    )


def _chosen_room(rooms: list[SheetRoom], grade: int | None, room_id: int | None) -> int | None:
    """The homeroom, unless another grade was chosen after it: nobody would be on the paper."""
    is_elsewhere = any(one.id == room_id and grade not in (None, one.grade) for one in rooms)
    return None if is_elsewhere else room_id
