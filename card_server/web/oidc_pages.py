"""Logging in by a provider (OpenID Connect): authorization code with PKCE, state and nonce.

Source: OpenID Connect Core 1.0 §3.1, RFC 7636; Authlib does the protocol.
"""

from collections.abc import Mapping
from typing import Any

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import (
    Blueprint,
    Flask,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from joserfc.errors import JoseError
from requests import RequestException

from card_server.access import caller_or_none, now, public, writing
from card_server.config import LinkBy, Settings
from card_server.errors import HTTP_STATUS, AppError, Code
from card_server.staff.oidc import Identity, enter_from_provider
from card_server.web.entering import go_in, visitor

_CLIENT = "provider"
_STATES = f"_state_{_CLIENT}"
"""What Authlib's entries in the cookie begin with."""
_NEXT = "wanted"
_TIMEOUT_S = 10


class _Provider:
    """The configured provider; it is asked for its addresses at the first log-in."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer.rstrip("/")
        self.link_by: LinkBy = settings.oidc_link_by
        self.client: Any = OAuth(app).register(
            _CLIENT,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=f"{self.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "default_timeout": _TIMEOUT_S,
            },
        )


def add_provider(app: Flask, settings: Settings) -> None:
    """Let people log in by the provider of the settings, if there is one."""
    app.jinja_env.globals["oidc_name"] = settings.oidc_name if settings.oidc_issuer else ""
    if not settings.oidc_issuer:
        return
    app.extensions["oidc"] = _Provider(app, settings)
    pages = Blueprint("oidc", __name__)
    pages.add_url_rule("/log-in/provider", view_func=begin)
    pages.add_url_rule("/log-in/provider/back", view_func=come_back)
    app.register_blueprint(pages)


@public
def begin() -> ResponseReturnValue:
    """Send the browser to the provider."""
    if caller_or_none() is not None:
        return redirect(url_for("account.home"))
    for name in [name for name in session if name.startswith(_STATES)]:
        # A cookie holds 4 KB: one log-in at a time.
        session.pop(name)
    session[_NEXT] = request.args.get("next", "")
    try:
        answer: ResponseReturnValue = _provider().client.authorize_redirect(
            url_for("oidc.come_back", _external=True)
        )
    except (OAuthError, RequestException, RuntimeError, ValueError) as error:
        return _refuse(_away(error))
    return answer


@public
def come_back() -> ResponseReturnValue:
    """Log in whoever the provider vouches for."""
    wanted = session.get(_NEXT, "")
    try:
        identity = _read_identity()
        with writing().begin() as opened:
            entered = enter_from_provider(opened, visitor(), identity, _provider().link_by, now())
    except AppError as error:
        return _refuse(error)
    return go_in(entered, wanted)


def _read_identity() -> Identity:
    """What the provider says, proved by its signature and our state, nonce and verifier.

    Raises AppError(NOT_ALLOWED) when it says no or does not prove it, AppError(UNAVAILABLE) when
    it does not answer.
    """
    try:
        token = _provider().client.authorize_access_token()
    except RequestException as error:
        raise _away(error) from error
    except (OAuthError, JoseError, ValueError) as error:
        current_app.logger.warning("a log-in by the provider failed: %s", type(error).__name__)
        raise AppError(
            Code.NOT_ALLOWED, "The log-in was not finished. Try again, or log in with a password."
        ) from error
    claims: Mapping[str, Any] = token.get("userinfo") or {}
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
    if issuer.rstrip("/") != _provider().issuer or not subject:
        raise AppError(
            Code.NOT_ALLOWED, "The log-in was not finished. Try again, or log in with a password."
        )
    email = claims.get("email") if claims.get("email_verified") is True else None
    return Identity(_provider().issuer, subject, email, claims.get("preferred_username"))


def _away(error: Exception) -> AppError:
    current_app.logger.warning("the provider of log-ins fails: %s", type(error).__name__)
    return AppError(
        Code.UNAVAILABLE, "The other log-in does not answer. Try again, or log in with a password."
    )


def _refuse(error: AppError) -> ResponseReturnValue:
    page = render_template("log_in.html", next="", login="", wrong=gettext(error.message))
    return page, HTTP_STATUS[error.code]


def _provider() -> _Provider:
    found: _Provider = current_app.extensions["oidc"]
    return found
