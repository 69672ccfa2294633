"""Who may call a route, who is calling, and the limit of every query to the caller's scope."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.wrappers import Response

from card_server.audit.writing import Actor
from card_server.school_time import DISTRICT_ZONE
from card_server.staff.scope import Grant, narrow
from card_server.staff.sessions import (
    Caller,
    SchoolInUse,
    find_caller,
    is_use_worth_noting,
    note_use,
)
from card_server.staff.tokens import (
    TokenCaller,
    find_token_caller,
    is_token_use_worth_noting,
    note_token_use,
)
from card_server.storage.database import open_reading_sessions, open_sessions
from schema.tables.staff import Role

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
_DECISION = "access_decision"
_ALL_ROLES = frozenset(Role)
_TOKEN = "token"  # noqa: S105 - the name of a field
_WITH_ONE_TIME_PASSWORD = frozenset(
    {"account.choose_password", "account.send_password", "account.log_out"}
)
"""All that an account can do before it has chosen its password."""
_WITHOUT_TOTP = _WITH_ONE_TIME_PASSWORD | {
    "totp.show",
    "totp.begin",
    "totp.picture",
    "totp.confirm",
}
"""All that it can do before it has set up a phone's codes, where that is required."""


@dataclass(frozen=True)
class Decision:
    """Who may call a route."""

    roles: frozenset[Role]
    """Empty: anybody, whether logged in or not, unless `judge` says who."""
    is_about_a_school: bool = True
    """Whether the route needs to know of which school."""
    judge: Callable[[], ResponseReturnValue | None] | None = None
    """Who judges in the place of staff's sessions: a parents' route lets in no staff at all."""

    @property
    def is_public(self) -> bool:
        return not self.roles and self.judge is None

    def lets_in(self, roles: frozenset[Role]) -> bool:
        """Whether somebody with these roles may; all roles are whoever is logged in, with none."""
        return self.roles == _ALL_ROLES or not self.roles.isdisjoint(roles)


def public(view: View) -> View:
    """Anybody may call this route."""
    return decide(view, Decision(frozenset(), is_about_a_school=False))


def allow(*roles: Role) -> Callable[[View], View]:
    """Staff with one of these roles may call this route, which is about the caller's school."""
    return lambda view: decide(view, Decision(frozenset(roles)))


def allow_anywhere(*roles: Role) -> Callable[[View], View]:
    """Staff with one of these roles may call this route, which is about no school."""
    return lambda view: decide(view, Decision(frozenset(roles), is_about_a_school=False))


def decide(view: View, decision: Decision) -> View:
    """Write down who may call a route. Raises RuntimeError when that is written already."""
    if decision_of(view) is not None:
        raise RuntimeError(f"{view.__name__} has two access decisions")
    setattr(view, _DECISION, decision)
    return view


def decision_of(view: Callable[..., Any]) -> Decision | None:
    """A route's decision; None if it has none, which no route may."""
    return getattr(view, _DECISION, None)


def may(endpoint: str) -> bool:
    """Whether the caller may use a route: what pages ask before they show a way to it."""
    decision = decision_of(current_app.view_functions[endpoint])
    if decision is None or decision.is_public:
        return decision is not None
    found = caller_or_none()
    if found is None or (decision.is_about_a_school and found.school is None):
        return False
    return decision.lets_in(found.roles)


def guard(app: Flask, engine: Engine) -> None:
    """Judge each request before its view runs."""
    app.extensions["writing"] = open_sessions(engine)
    app.extensions["reading"] = open_reading_sessions(engine)
    app.before_request(_judge)


def caller() -> Caller:
    """Who is calling, on routes that are not public."""
    found: Caller = g.caller
    return found


def actor() -> Actor:
    """Who is calling, as the audit log names them; `nobody` before a log-in."""
    found, address = caller_or_none(), request.remote_addr or ""
    if found is None:
        return Actor("nobody", None, "", address)
    if isinstance(found, TokenCaller):
        return Actor("token", found.token_id, found.name, address)
    return Actor("staff", found.staff_id, found.name, address)


def caller_or_none() -> Caller | None:
    """Who is calling, where that may be nobody."""
    if "caller" not in g:
        g.caller = _find_caller()
    found: Caller | None = g.caller
    return found


def known_caller() -> Caller | None:
    """Who is calling, if that was found out already: asks no database, not even on error pages."""
    found: Caller | None = g.get("caller")
    return found


def school_in_use() -> SchoolInUse:
    """The school that this request is about."""
    found: SchoolInUse = g.school
    return found


def zone_in_use() -> ZoneInfo:
    """The zone of the school that this request is about, or else the district's."""
    school: SchoolInUse | None = g.get("school")
    return school.zone if school else DISTRICT_ZONE


def grants_in_use() -> tuple[Grant, ...]:
    """The caller's grants that let this request in, and limit it."""
    found: tuple[Grant, ...] = g.grants
    return found


def use_school(school: SchoolInUse, grants: Iterable[Grant]) -> None:
    """Limit this request to a school, and in it to what these grants reach."""
    g.school, g.grants = school, tuple(grants)


@contextmanager
def school_session() -> Iterator[Session]:
    """A session for reading that sees what the caller's grants reach in the request's school."""
    with reading()() as opened:
        narrow(opened, school_in_use().id, g.grants)
        yield opened


@contextmanager
def changing_session() -> Iterator[Session]:
    """The same for changing; it commits when the block ends well."""
    with writing().begin() as opened:
        narrow(opened, school_in_use().id, g.grants)
        yield opened


def reading() -> sessionmaker[Session]:
    """Sessions that only read: they wait for nobody, and refuse to write."""
    found: sessionmaker[Session] = current_app.extensions["reading"]
    return found


def writing() -> sessionmaker[Session]:
    """Sessions that write."""
    found: sessionmaker[Session] = current_app.extensions["writing"]
    return found


def now() -> datetime:
    """The time, UTC; a test may give the application another clock."""
    found: Callable[[], datetime] | None = current_app.extensions.get("now")
    return found() if found else datetime.now(UTC)


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


def _judge() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None
    decision = decision_of(current_app.view_functions[request.endpoint])
    if decision is None:
        abort(403)
    if decision.judge is not None:
        return decision.judge()
    return None if decision.is_public else _judge_staff(decision)


def _judge_staff(decision: Decision) -> ResponseReturnValue | None:
    found = caller_or_none()
    if found is None:
        return _send_to_log_in()
    if not decision.lets_in(found.roles):
        abort(403)
    first = _must_do_first(found)
    if first:
        return _send_to(first)
    if decision.is_about_a_school:
        if found.school is None:
            return _send_to(url_for("district.show"))
        use_school(found.school, (one for one in found.grants if one.role in decision.roles))
    return None


def _must_do_first(found: Caller) -> str | None:
    """Where the page is that an account cannot pass by; None without one, and on it."""
    if found.must_choose_password:
        if request.endpoint in _WITH_ONE_TIME_PASSWORD:
            return None
        return url_for("account.choose_password", next=_wanted_page())
    if found.lacks_totp and current_app.config["TOTP_REQUIRED"]:
        return None if request.endpoint in _WITHOUT_TOTP else url_for("totp.show")
    return None


def _find_caller() -> Caller | None:
    if _is_for_programs():
        return _find_token_caller()
    token = held_token()
    if not token:
        return None
    moment = now()
    with reading()() as opened:
        found = find_caller(opened, token, moment)
    if found and is_use_worth_noting(found, moment):
        with writing().begin() as opened:
            note_use(opened, found, moment)
    return found


def _is_for_programs() -> bool:
    """Whether only a token opens this address; a browser's cookie never does."""
    return request.path.startswith("/api/")


def _find_token_caller() -> Caller | None:
    sent = request.authorization
    if sent is None or sent.type != "bearer" or not sent.token:
        return None
    now = datetime.now(UTC)
    with reading()() as opened:
        found = find_token_caller(opened, sent.token, now)
    if found and is_token_use_worth_noting(found, now):
        with writing().begin() as opened:
            note_token_use(opened, found, now)
    return found


def _send_to_log_in() -> ResponseReturnValue:
    if _is_for_programs():
        abort(401)
    if request.path.startswith("/live/"):
        return Response(status=403)
    return _send_to(url_for("account.log_in", next=_wanted_page()))


def _wanted_page() -> str | None:
    """Where to go on when what stands before it is done; None for what is no page."""
    if "HX-Request" in request.headers:
        return _page_of_part()
    return request.full_path.rstrip("?") if request.method == "GET" else None


def _page_of_part() -> str | None:
    """The page that a part was asked for; the part alone would be a page without a frame."""
    try:
        parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return None
    return urlunsplit(("", "", parts.path, parts.query, "")) or None


def _send_to(address: str) -> ResponseReturnValue:
    """A redirect; a fragment's request makes the whole page go there."""
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address)
