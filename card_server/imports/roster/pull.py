"""The roster fetched from a OneRoster service: where it is, and all that it has to say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.imports.roster.facts import find_facts
from card_server.school_time import day_of
from card_server.staff.sessions import describe_school
from card_server.storage.sealing import Seal
from integrations.roster.oneroster.findings import Trouble
from integrations.roster.oneroster.options import Options
from integrations.roster.oneroster.rest import read_rest
from integrations.roster.oneroster.rest_line import Access, SourceError
from integrations.roster.oneroster.tables import Version
from schema.messages import utc_now
from schema.tables.roster import RosterService
from schema.tables.school import School

VERSIONS: Final = (Version.V1_2.value, Version.V1_1.value)
_MOST_URL: Final = 500
_MOST_SECRET: Final = 500


@dataclass(frozen=True)
class ServiceSettings:
    """Where a service is and who we are there; a secret of None stays as it is."""

    url: str
    token_url: str
    client_id: str
    version: str
    secret: str | None


def read_settings(typed: Mapping[str, str], *, is_new: bool) -> ServiceSettings:
    """What somebody typed. Raises FieldsError."""
    wrong = Problems()
    settings = ServiceSettings(
        _read_address(wrong, "url", typed.get("url", "")),
        _read_address(wrong, "token_url", typed.get("token_url", "")),
        wrong.text("client_id", typed.get("client_id", ""), 200),
        typed.get("version", VERSIONS[0]),
        typed.get("secret", "").strip() or None,
    )
    if settings.version not in VERSIONS:
        wrong.add("version", _("Choose from the list."))
    if settings.secret is None and is_new:
        wrong.add("secret", _("This must not be empty."))
    elif len(settings.secret or "") > _MOST_SECRET:
        wrong.add("secret", _("This is too long."))
    wrong.refuse()
    return settings


def _read_address(wrong: Problems, field: str, typed: str) -> str:
    address = typed.strip()
    try:
        Access(url=address, token_url=address, client_id="", client_secret="")
    except ValueError:
        wrong.add(field, _("The address must begin with https://."))
    if len(address) > _MOST_URL:
        wrong.add(field, _("A web address may have 500 characters at most."))
    return address


def keep_service(
    session: Session,
    actor: Actor,
    school_id: int,
    wanted: ServiceSettings,
    now: datetime,
    seal: Seal,
) -> None:
    """Fetch from here from now on. Raises FieldsError when there is no secret yet."""
    row = session.get(RosterService, school_id, with_for_update=True)
    if row is None and wanted.secret is None:
        raise FieldsError({"secret": _("This must not be empty.")})
    if row is None:
        row = RosterService(school_id=school_id)
        session.add(row)
    before = {"url": row.url, "client_id": row.client_id}
    row.url, row.token_url, row.client_id = wanted.url, wanted.token_url, wanted.client_id
    row.version, row.changed_at = wanted.version, now
    if wanted.secret is not None:
        row.secret_sealed = seal.close(wanted.secret)
    session.flush()
    details = {
        "url": [before["url"], row.url],
        "client_id": [before["client_id"], row.client_id],
        "has_new_secret": wanted.secret is not None,
    }
    subject = f"school:{school_id}"
    note(session, school_id, actor, "roster.service_changed", subject, details=details)


def remove_service(session: Session, actor: Actor, school_id: int) -> None:
    """Fetch from nowhere any more, and keep the secret no longer."""
    row = session.get(RosterService, school_id, with_for_update=True)
    if row is None:
        return
    details = {"url": [row.url, None]}
    session.delete(row)
    subject = f"school:{school_id}"
    note(session, school_id, actor, "roster.service_removed", subject, details=details)


def find_service(session: Session, school_id: int) -> RosterService | None:
    """Where the school's roster is fetched from; None while nobody has said."""
    return session.get(RosterService, school_id)


def find_access(session: Session, school_id: int, seal: Seal) -> tuple[Access, Options]:
    """How the service is reached, and how its roster is read. Raises AppError(NOT_FOUND)."""
    row = find_service(session, school_id)
    if row is None:
        raise AppError(Code.NOT_FOUND, _("Say first from which service the roster is fetched."))
    access = Access(
        url=row.url,
        token_url=row.token_url,
        client_id=row.client_id,
        client_secret=seal.open(row.secret_sealed),
        version=Version(row.version),
    )
    zone = describe_school(session.get_one(School, school_id)).zone
    facts = find_facts(session, school_id, day_of(utc_now(), zone))
    return access, Options(countries=facts.countries)


def fetch(access: Access, options: Options) -> bytes:
    """The whole roster, as it is staged. Raises AppError(UNAVAILABLE) and keeps no part of it."""
    try:
        roster = read_rest(access, options)
    except SourceError as error:
        raise AppError(Code.UNAVAILABLE, SAID.get(error.kind, _NO_ANSWER)) from error
    return msgspec.json.encode(roster)


def fetch_roster(
    session: Session,
    school_id: int,
    seal: Seal,
    fetching: Callable[[Access, Options], bytes] = fetch,
) -> bytes:
    """The same in one step; the transaction ends before the service is asked."""
    access, options = find_access(session, school_id, seal)
    session.rollback()
    return fetching(access, options)


_NO_ANSWER = _("The service gave no roster. Nothing was changed; try again later.")
SAID: Final[dict[Trouble, str]] = {
    Trouble.UNREACHABLE: _("The service cannot be reached. Check its address."),
    Trouble.TOO_SLOW: _("The service was too slow. Try again later."),
    Trouble.NO_TOKEN: _("The service does not accept the client id and secret."),
    Trouble.NOT_ALLOWED: _("The service does not let this client read the roster."),
    Trouble.NOT_FOUND: _("There is no OneRoster service at this address."),
}
"""What people are told of each trouble that they can do something about."""
