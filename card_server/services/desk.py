"""Staff's desk (发卡台): cards are read to be given out, and a tap by itself changes nothing."""

from sqlalchemy.orm import Session

from card_server.services.protocol import PlacedTap, Telling
from card_server.storage.bulk import Write
from schema.tables.taps import Effect


def record_reads(_session: Session, taps: list[PlacedTap], _telling: Telling) -> list[Write]:
    """Each tap is on record as read; what follows from it, staff decide on their page."""
    for tap in taps:
        tap.effect = Effect.READ
    return []
