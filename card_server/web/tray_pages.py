"""A demo's first page: cards, readers, and a guardian's phone on one screen (卡盘)."""

from datetime import UTC, date, datetime
from pathlib import Path

from flask import Blueprint, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import (
    public,
    reading,
    school_in_use,
    school_session,
    use_school,
    writing,
)
from card_server.demo.calendar import play_today
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.reports.board import read_counts
from card_server.reports.tray_cards import (
    find_tray_school,
    read_tray,
    read_tray_homerooms,
    read_tray_readers,
    read_uids_to_come,
)
from card_server.reports.tray_phone import Bubble, read_bubbles
from card_server.school_time import bounds_of, day_of
from card_server.staff.scope import WHOLE_SCHOOL
from card_server.staff.sessions import SchoolInUse, describe_school
from card_server.web.entering import seal
from card_server.web.live_pages import stream_changes
from card_server.web.morning import MorningPlayer, plan_morning
from card_server.web.tray_link import hold_card
from card_server.words.choices import word
from schema.messages import Refusal
from schema.tables.readers import Direction
from schema.tables.school import School

_BUBBLES = 12
_PROVIDER = "console"
"""A demo sends to the console, and the drawn phone shows what it took."""

pages = Blueprint("tray", __name__)


@pages.before_request
def use_demo_school() -> None:
    """The tray belongs to the demo's only school."""
    with reading()() as session:
        school = find_tray_school(session)
    if school is None:
        raise AppError(Code.NOT_FOUND, "There is no school yet. Run: make demo")
    use_school(describe_school(school), [WHOLE_SCHOOL])


@pages.get("/")
@public
def show() -> ResponseReturnValue:
    """The whole tray."""
    school = school_in_use()
    with school_session() as session:
        values = {
            "tray": read_tray(session, school.id, "", None),
            "homerooms": read_tray_homerooms(session, school.id),
            "readers": read_tray_readers(session, school.id),
            "messages": _read_bubbles(session, school),
            "counts": read_counts(session, school.id, _today(school)),
        }
    return render_template("tray.html", school=school, progress=_player().progress, **values)


@pages.post("/tray/cards")
@public
def search_cards() -> ResponseReturnValue:
    """The cards that match; by POST, because a name must not stand in an address."""
    words = request.form.get("words", "")[:100]
    homeroom_id = request.form.get("homeroom", type=int)
    with school_session() as session:
        tray = read_tray(session, school_in_use().id, words, homeroom_id)
    return render_template("tray_cards_part.html", tray=tray)


@pages.post("/tray/tap")
@public
def tap() -> ResponseReturnValue:
    """Hold a card to a reader; what its light showed, as JSON."""
    form = request.form
    try:
        shown = hold_card(_tray_dir(), form.get("reader", ""), form.get("uid", ""))
    except AppError as error:
        return jsonify(signal="error", text=gettext(error.message)), HTTP_STATUS[error.code]
    return jsonify(
        signal=shown.signal,
        text=_say(shown.signal, shown.reason),
        milliseconds=shown.milliseconds,
    )


@pages.get("/tray/phone")
@public
def phone() -> ResponseReturnValue:
    """What the guardian's phone shows."""
    with school_session() as session:
        messages = _read_bubbles(session, school_in_use())
    return render_template("tray_phone_part.html", messages=messages, school=school_in_use())


@pages.get("/tray/counts")
@public
def counts() -> ResponseReturnValue:
    """Today's numbers."""
    school = school_in_use()
    with school_session() as session:
        today = read_counts(session, school.id, _today(school))
    return render_template("tray_counts_part.html", counts=today)


@pages.get("/tray/events")
@public
def events() -> ResponseReturnValue:
    """The demo school's changes."""
    return stream_changes(school_in_use().id, lambda: True)


@pages.get("/tray/morning")
@public
def morning() -> ResponseReturnValue:
    """How far the played morning has got."""
    return render_template("tray_morning_part.html", progress=_player().progress)


@pages.post("/tray/morning")
@public
def play_morning() -> ResponseReturnValue:
    """Let everybody who has not arrived today come to school within about a minute."""
    school, now = school_in_use(), datetime.now(UTC)
    with school_session() as session:
        uids = read_uids_to_come(session, school.id, _today(school))
        readers = read_tray_readers(session, school.id)
    gates = [one.code for one in readers if one.direction is Direction.IN]
    if not uids or not gates:
        note = gettext("Everybody is here already. `make demo-clean` gives a fresh day.")
        return render_template("tray_morning_part.html", progress=_player().progress, note=note)
    plan = plan_morning(uids, gates, now, seed=int(now.timestamp()))
    if _player().start(plan.taps):
        with writing().begin() as session:
            local = plan.late_after.astimezone(school.zone)
            session.get_one(School, school.id).late_after = local.strftime("%H:%M")
            late_after = local.hour * 60 + local.minute
            play_today(session, school.id, _today(school), late_after, now)
    return render_template("tray_morning_part.html", progress=_player().progress)


@pages.post("/tray/morning/stop")
@public
def stop_morning() -> ResponseReturnValue:
    """Stop the played morning."""
    _player().stop()
    return render_template("tray_morning_part.html", progress=_player().progress)


def _say(signal: str, reason: str | None) -> str:
    if signal == "admitted":
        return str(gettext("Welcome"))
    if signal == "read":
        return str(gettext("Card read"))
    if signal == "not_kept":
        return str(gettext("Not kept: the reader cannot store taps"))
    if reason is None or reason not in list(Refusal):
        return str(gettext("Refused"))
    return word(Refusal(reason))


def _read_bubbles(session: Session, school: SchoolInUse) -> list[Bubble]:
    midnight, _ = bounds_of(_today(school), school.zone)
    return read_bubbles(session, school.id, seal(), _PROVIDER, midnight, _BUBBLES)


def _today(school: SchoolInUse) -> date:
    return day_of(datetime.now(UTC), school.zone)


def _player() -> MorningPlayer:
    player: MorningPlayer = current_app.extensions["morning"]
    return player


def _tray_dir() -> Path:
    folder: Path = current_app.extensions["tray_dir"]
    return folder
