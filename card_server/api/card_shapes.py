"""Cards as the API takes and gives them."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from card_server.api.inputs import IdCursor, Limit, RowId, Taken, storable
from card_server.api.shapes import Next, Shape
from schema.messages import CardState
from schema.tables.cards import CardKind, CardStep

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_Reason = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Label = Annotated[str, Field(max_length=32, json_schema_extra=_NO_NUL), AfterValidator(storable)]
_Number = Annotated[
    str, Field(min_length=1, max_length=60, json_schema_extra=_NO_NUL), AfterValidator(storable)
]


class CardPath(Taken):
    """Which card."""

    card_id: RowId


class CardsQuery(Taken):
    """Which part of the cards."""

    state: CardState | None = None
    limit: Limit = 50
    cursor: IdCursor | None = None


class NewCard(Taken):
    """A card to be taken into stock: its number in hex, as the card sends its bytes."""

    uid: Annotated[str, Field(pattern=r"^([0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})$")]
    label: _Label = ""
    kind: CardKind = CardKind.PERMANENT


class Step(Taken):
    """Why something is done with a card; for the history and the audit log."""

    reason: _Reason | None = None


class End(Taken):
    """Why a card is never to be used again."""

    reason: _Reason


class Replacement(Taken):
    """The card that takes another's place: its number, or its label."""

    number: _Number
    reason: _Reason | None = None


class Gift(Taken):
    """The card that a student gets: its number, or its label."""

    number: _Number


class Card(Shape):
    """A card, and whose it is now."""

    id: int
    uid: str = Field(description="Upper-case hex, in the order in which the card sends its bytes.")
    label: str = Field(description="What is printed on it, if that is not its number.")
    kind: CardKind
    state: CardState = Field(description="`returned`: in stock, nobody's.")
    state_since: datetime
    expires_at: datetime | None
    student_id: int | None
    student: str | None
    homeroom: str | None


class PastStep(Shape):
    """One step of a card."""

    at: datetime
    step: CardStep
    state: CardState
    by: str
    reason: str
    student_id: int | None


class CardWithHistory(Shape):
    """A card and what was done with it, newest first."""

    card: Card
    history: list[PastStep]


class Cards(Shape):
    """A part of the cards, by id."""

    items: list[Card]
    next: Next


class FoundCards(Shape):
    """The cards that answer, 50 at most."""

    items: list[Card]
