"""The way in to the parents' page: the link of a message, and the code to the same phone.

Looking at a link sends nothing: what previews links in messages looks at them too.
"""

from flask import g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from card_server.access import now, public, reading, writing
from card_server.audit.writing import note
from card_server.errors import HTTP_STATUS, AppError
from card_server.parent_access import caller_at_door, remember_parent
from card_server.parents import codes
from card_server.parents.entering import enter
from card_server.parents.links import Doorstep, find_doorstep
from card_server.parents.sessions import actor_of, end_session
from card_server.web.entering import seal, visitor
from card_server.web.parent_entering import parents_pages, parents_web

pages = parents_pages("parent_door", __name__)


@pages.get("/p/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """Whose page it is, by the number's last digits, and the button that sends a code."""
    step = _find(token)
    if step is None:
        return _show_no_link()
    who = caller_at_door(now())
    if who is not None and who.guardian_id == step.guardian_id:
        return redirect(url_for("parents.home"))
    return _show(step, token)


@pages.post("/p/<token>/code")
@public
def send_code(token: str) -> ResponseReturnValue:
    """Send a code to the guardian's number."""
    step = _find(token)
    if step is None:
        return _show_no_link()
    try:
        with writing().begin() as session:
            codes.send_code(session, seal(), step.school.id, step.guardian_id, now())
            nobody = actor_of(step.guardian_id, "", request.remote_addr or "")
            note(session, step.school.id, nobody, "parent.code_sent", _subject(step))
    except AppError as error:
        return _show(step, token, gettext(error.message), HTTP_STATUS[error.code])
    return redirect(url_for("parent_door.ask", token=token))


@pages.get("/p/<token>/code")
@public
def ask(token: str) -> ResponseReturnValue:
    """The field for the code."""
    step = _find(token)
    return _show_no_link() if step is None else _ask(step, token)


@pages.post("/p/<token>")
@public
def send(token: str) -> ResponseReturnValue:
    """Sign in by a right code; whoever was signed in on this phone is signed out."""
    step = _find(token)
    if step is None:
        return _show_no_link()
    moment, before = now(), caller_at_door(now())
    with writing().begin() as session:
        typed = request.form.get("code", "")[:20]
        opened = enter(session, seal(), step, visitor(), typed, moment)
        if opened is not None and before is not None:
            end_session(session, before, moment)
    if opened is None:
        return _ask(step, token, gettext(codes.WRONG), 403)
    return remember_parent(make_response(redirect(url_for("parents.home"))), opened)


def _find(token: str) -> Doorstep | None:
    with reading()() as session:
        step = find_doorstep(session, token, parents_web().secret, now())
    if step is not None:
        g.own_language = step.language
    return step


def _show(step: Doorstep, token: str, wrong: str = "", status: int = 200) -> ResponseReturnValue:
    page = render_template("parent_door.html", step=step, token=token, wrong=wrong)
    return page, status


def _ask(step: Doorstep, token: str, wrong: str = "", status: int = 200) -> ResponseReturnValue:
    minutes = codes.LASTS.seconds // 60
    page = render_template("parent_code.html", step=step, token=token, wrong=wrong, minutes=minutes)
    return page, status


def _show_no_link() -> ResponseReturnValue:
    """The same for a wrong link, one that has expired and one that was ended."""
    return render_template("parent_no_link.html"), 404


def _subject(step: Doorstep) -> str:
    return f"guardian:{step.guardian_id}"
