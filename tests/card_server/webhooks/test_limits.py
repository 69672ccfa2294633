"""A reached limit is told to the webhooks that want to know, in the claim's own transaction."""

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.storage.database import open_engine
from card_server.webhooks.events import LimitEvent
from card_server.webhooks.limits import tell_of_limit
from schema.messages import utc_now
from schema.tables.messages import LimitScope
from schema.tables.webhooks import EventKind, Webhook, WebhookDelivery, join_kinds
from tests.card_server.web.small_school import make_school


def _hook(session: Session, school_id: int, *kinds: EventKind, is_off: bool = False) -> int:
    now = utc_now()
    hook = Webhook(
        school_id=school_id,
        name="数据中心",
        url="https://example.org/",
        kinds=join_kinds(kinds),
        secret_sealed=b"\0",
        created_at=now,
        resume_at=now,
        disabled_at=now if is_off else None,
    )
    session.add(hook)
    session.flush()
    return hook.id


def test_those_who_want_to_know_are_told_which_limit(database_url: str) -> None:
    engine: Engine = open_engine(database_url)
    now = utc_now()
    with Session(engine) as session, session.begin():
        school, other = make_school(session, students=0), make_school(session, "no2", students=0)
        wanting = _hook(session, school.id, EventKind.LIMIT, EventKind.TAP)
        _hook(session, school.id, EventKind.MESSAGE)
        _hook(session, school.id, EventKind.LIMIT, is_off=True)
        _hook(session, other.id, EventKind.LIMIT)
        tell_of_limit(session.connection(), school.id, LimitScope.STUDENT, now)
    with Session(engine) as session:
        [told] = session.scalars(select(WebhookDelivery)).all()
    assert (told.webhook_id, told.school_id, told.kind) == (wanting, school.id, EventKind.LIMIT)
    event = msgspec.json.decode(told.body, type=LimitEvent)
    assert (event.school, event.data.scope, event.timestamp) == ("no1", LimitScope.STUDENT, now)
    engine.dispose()
