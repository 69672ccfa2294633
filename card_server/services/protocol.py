"""What a service is given and what it answers."""

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct
from sqlalchemy.orm import Session

from card_server.storage.bulk import Write
from card_server.taps.directory import Holder, ReaderFacts
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy, Effect


class PlacedTap(Struct, gc=False):
    """A tap with all that is known of it; a service fills in the last three."""

    id: UUID
    reader: ReaderFacts
    holder: Holder | None
    """Whose valid card it was at that moment."""
    is_admitted: bool
    """Whether the reader let the person in; a service decides what a refused tap means."""
    occurred_at: datetime
    received_at: datetime
    clock_suspect: bool
    direction: Direction | None = None
    direction_by: DirectionBy | None = None
    effect: Effect = Effect.NONE


class Telling(NamedTuple):
    """Whether guardians are told of a batch, and the moment at which it is decided."""

    tell_parents: bool
    now: datetime


class Service(Protocol):
    """One use of the card."""

    def __call__(self, session: Session, taps: list[PlacedTap], telling: Telling, /) -> list[Write]:
        """Load the facts, decide each tap's effect, and return what has to be written.

        It may be called again with fewer taps in a new transaction, when some turn out to be known.
        Only rows that say nothing yet, like that of a student never seen, may it write itself.
        """
        ...
