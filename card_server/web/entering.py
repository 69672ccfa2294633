"""What every way to log in shares: who is at the door, and where a new session leads."""

from flask import Flask, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from card_server.access import reading, remember_token, writing
from card_server.config import Settings
from card_server.staff.log_in import Door, Entered
from card_server.staff.sessions import Visitor
from card_server.storage.sealing import Seal
from card_server.web.browsers import browser_of, system_of
from card_server.web.next_page import safe_next

_LIMIT = "failures_per_address"
_SEAL = "log_in_seal"


def open_door(app: Flask, settings: Settings) -> None:
    """Give the application what logging in needs of the settings."""
    app.extensions[_SEAL] = Seal(settings.data_key)
    app.extensions[_LIMIT] = settings.failures_per_address
    app.config["TOTP_REQUIRED"] = settings.totp_required


def door() -> Door:
    """What logging in works with."""
    return Door(reading(), writing(), seal(), current_app.extensions[_LIMIT])


def seal() -> Seal:
    """What seals the secrets of phones."""
    found: Seal = current_app.extensions[_SEAL]
    return found


def visitor() -> Visitor:
    """Where this request comes from."""
    user_agent = request.user_agent.string
    return Visitor(request.remote_addr or "", browser_of(user_agent), system_of(user_agent))


def go_in(entered: Entered, wanted: str | None) -> ResponseReturnValue:
    """Give the browser its new session, and lead on: to what is still missing, or as wanted."""
    remember_token(entered.token)
    if entered.needs_code:
        return redirect(url_for("totp.ask", next=wanted or None))
    if entered.must_choose_password:
        return redirect(url_for("account.choose_password", next=wanted or None))
    address = safe_next(wanted)
    return redirect(url_for("account.home") if address == "/" else address)
