"""Who is calling a page of the parents' (家长页面), and the limit of its queries to their child.

It has a cookie of its own: no staff page opens with it, and no parents' page with that of staff.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from flask import (
    abort,
    after_this_request,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from card_server.access import Decision, decide, now, reading, use_school, writing
from card_server.audit.writing import Actor
from card_server.parents.children import Child, narrow_to_children
from card_server.parents.sessions import (
    LASTS,
    Parent,
    actor_of,
    find_parent,
    is_parent_use_worth_noting,
    note_parent_use,
)

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
_COOKIE = "parent"


def for_parents(view: View) -> View:
    """A guardian who is signed in may call this route; of a child, whose it is today."""
    return decide(view, Decision(frozenset(), is_about_a_school=False, judge=_judge))


def for_consenting_parents(view: View) -> View:
    """The same, but who has not agreed that the school tells of the child is asked for it first."""
    return decide(view, Decision(frozenset(), is_about_a_school=False, judge=_judge_consenting))


def parent() -> Parent:
    """Who is calling."""
    found: Parent = g.parent
    return found


def child() -> Child:
    """The child that this page is about; on a page about none, the first one."""
    found: Child = g.child
    return found


def parent_actor() -> Actor:
    """Who is calling, as the audit log names them."""
    who = parent()
    return actor_of(who.guardian_id, who.name, request.remote_addr or "")


@contextmanager
def parent_session() -> Iterator[Session]:
    """A session for reading that sees this child alone; all of the guardian's where none is named.

    Of people it sees this guardian and nobody else.
    """
    with reading()() as opened:
        _narrow(opened)
        yield opened


@contextmanager
def parent_change() -> Iterator[Session]:
    """The same for changing; it commits when the block ends well."""
    with writing().begin() as opened:
        _narrow(opened)
        yield opened


def remember_parent(response: Response, token: str) -> Response:
    """Give the phone the cookie with this session's token."""
    response.set_cookie(
        _cookie(),
        token,
        max_age=LASTS,
        path="/",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def forget_parent(response: Response) -> Response:
    """Take the cookie away again."""
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.delete_cookie(_cookie(), path="/", secure=secure, httponly=True, samesite="Lax")
    return response


def caller_at_door(moment: datetime) -> Parent | None:
    """Who is signed in on this phone, where that may be nobody."""
    token = request.cookies.get(_cookie(), "")
    if not token:
        return None
    with reading()() as opened:
        return find_parent(opened, token, moment)


def _cookie() -> str:
    """Behind TLS the name makes the browser refuse one that was set for other hosts or paths."""
    return f"__Host-{_COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else _COOKIE


def _judge() -> ResponseReturnValue | None:
    moment = now()
    # Whoever of the staff uses the same browser is nobody here.
    g.caller = None
    found = caller_at_door(moment)
    if found is None:
        return make_response(render_template("parent_signed_out.html"), 403)
    g.parent, g.own_language = found, found.language
    use_school(found.school, ())
    student_id = (request.view_args or {}).get("student_id")
    g.child = found.children[0]
    chosen = g.child if student_id is None else found.child(student_id)
    if chosen is None:
        abort(404)
    g.child = chosen
    g.seen_children = found.children if student_id is None else (chosen,)
    if is_parent_use_worth_noting(found, moment):
        with writing().begin() as opened:
            note_parent_use(opened, found, moment)
        _renew_cookie()
    return None


def _judge_consenting() -> ResponseReturnValue | None:
    answer = _judge()
    if answer is None and not child().has_consent:
        return redirect(url_for("parent_consent.show"))
    return answer


def _renew_cookie() -> None:
    """The phone keeps the cookie for as long as the server keeps the session."""
    token = request.cookies[_cookie()]

    @after_this_request
    def renew(response: Response) -> Response:
        is_set = any(
            one.startswith(f"{_cookie()}=") for one in response.headers.getlist("Set-Cookie")
        )
        return response if is_set else remember_parent(response, token)


def _narrow(opened: Session) -> None:
    who = parent()
    narrow_to_children(opened, who.school.id, who.guardian_id, g.seen_children)
