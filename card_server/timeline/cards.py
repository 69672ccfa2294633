"""What was done with a student's cards, on the timeline."""

from flask_babel import lazy_gettext
from sqlalchemy import select

from card_server.timeline.protocol import Asking, Moment, Source
from card_server.words.cards import card_number
from schema.tables.cards import Card, CardHistory, CardStep

_ALARMING = (CardStep.LOST, CardStep.BLACKLISTED)


def _read(asking: Asking) -> list[Moment]:
    wanted = (
        select(
            CardHistory.at,
            CardHistory.id,
            CardHistory.step,
            CardHistory.by,
            CardHistory.reason,
            Card.uid,
            Card.label,
        )
        .join(Card, Card.id == CardHistory.card_id)
        .where(
            CardHistory.school_id == asking.school_id,
            CardHistory.student_id == asking.student_id,
        )
    )
    found = asking.session.execute(asking.newest(wanted, CardHistory.at, CardHistory.id.desc()))
    return [
        Moment(at, str(id_), label or card_number(uid), (step,), step in _ALARMING, by, reason)
        for at, id_, step, by, reason, uid, label in found
    ]


CARDS = Source("cards", lazy_gettext("Cards"), _read)
