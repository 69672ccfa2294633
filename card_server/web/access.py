"""Who may call a route, who is calling, and the limit of every query to the caller's school."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine, event
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker, with_loader_criteria
from werkzeug.wrappers import Response

from card_server.staff.sessions import (
    Caller,
    SchoolInUse,
    find_caller,
    is_use_worth_noting,
    note_use,
)
from card_server.storage.database import open_sessions
from schema.tables.metadata import Table
from schema.tables.school import Role

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
PUBLIC = "public"
"""The decision of a route that anybody may call."""
_DECISION = "access_decision"
_TOKEN = "token"  # noqa: S105 - the name of a field
_WITH_ONE_TIME_PASSWORD = frozenset(
    {"account.choose_password", "account.send_password", "account.log_out"}
)
"""All that an account can do before it has chosen its password."""


def public(view: View) -> View:
    """Anybody may call this route."""
    return _decide(view, PUBLIC)


def allow(*roles: Role) -> Callable[[View], View]:
    """Staff with one of these roles may call this route."""
    return lambda view: _decide(view, frozenset(roles))


def decision_of(view: Callable[..., Any]) -> str | frozenset[Role] | None:
    """A route's decision; None if it has none, which no route may."""
    return getattr(view, _DECISION, None)


def guard(app: Flask, engine: Engine) -> None:
    """Judge each request before its view runs."""
    app.extensions["writing"] = open_sessions(engine)
    app.extensions["reading"] = open_sessions(engine.execution_options(read_only=True))
    app.before_request(_judge)


def caller() -> Caller:
    """Who is calling, on routes that are not public."""
    found: Caller = g.caller
    return found


def caller_or_none() -> Caller | None:
    """Who is calling, where that may be nobody."""
    if "caller" not in g:
        g.caller = _find_caller()
    found: Caller | None = g.caller
    return found


def school_in_use() -> SchoolInUse:
    """The school that this request is about."""
    found: SchoolInUse = g.school
    return found


def use_school(school: SchoolInUse) -> None:
    """Limit this request to a school."""
    g.school = school


@contextmanager
def school_session() -> Iterator[Session]:
    """A session for reading that sees the rows of the request's school and no others."""
    with reading()() as opened:
        limit_to_school(opened, school_in_use().id)
        yield opened


def limit_to_school(opened: Session, school_id: int) -> None:
    """Add the school to each query of a session, on every table that belongs to a school."""

    def add_school(state: ORMExecuteState) -> None:
        if not state.is_select:
            return
        limits = [
            with_loader_criteria(table, table.school_id == school_id, include_aliases=True)
            for table in (mapper.class_ for mapper in Table.registry.mappers)
            if hasattr(table, "school_id")
        ]
        state.statement = state.statement.options(*limits)

    event.listen(opened, "do_orm_execute", add_school)


def reading() -> sessionmaker[Session]:
    """Sessions that only read: on SQLite they do not wait for whoever writes."""
    found: sessionmaker[Session] = current_app.extensions["reading"]
    return found


def writing() -> sessionmaker[Session]:
    """Sessions that write."""
    found: sessionmaker[Session] = current_app.extensions["writing"]
    return found


def remember_token(token: str) -> None:
    """Give the browser a fresh cookie with this session's token."""
    session.clear()
    session[_TOKEN] = token


def held_token() -> str:
    """The token in the browser's cookie; empty when there is none."""
    token = session.get(_TOKEN)
    return token if isinstance(token, str) else ""


def forget_token() -> None:
    """Take everything that the browser's cookie holds."""
    session.clear()


def _decide(view: View, decision: str | frozenset[Role]) -> View:
    if decision_of(view) is not None:
        raise RuntimeError(f"{view.__name__} has two access decisions")
    setattr(view, _DECISION, decision)
    return view


def _judge() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    decision = decision_of(current_app.view_functions[request.endpoint])
    if decision == PUBLIC:
        return None
    if not isinstance(decision, frozenset):
        abort(403)
    found = caller_or_none()
    if found is None:
        return _send_to_log_in()
    if found.role not in decision:
        abort(403)
    if found.must_choose_password and request.endpoint not in _WITH_ONE_TIME_PASSWORD:
        return _send_to(url_for("account.choose_password"))
    use_school(found.school)
    return None


def _find_caller() -> Caller | None:
    token = held_token()
    if not token:
        return None
    now = datetime.now(UTC)
    with reading()() as opened:
        found = find_caller(opened, token, now)
    if found and is_use_worth_noting(found, now):
        with writing().begin() as opened:
            note_use(opened, found, now)
    return found


def _send_to_log_in() -> ResponseReturnValue:
    if request.path.startswith("/live/"):
        return Response(status=403)
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return _send_to(url_for("account.log_in", next=wanted))


def _send_to(address: str) -> ResponseReturnValue:
    """A redirect; a fragment's request makes the whole page go there."""
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address)
