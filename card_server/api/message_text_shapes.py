"""What the API answers of the texts of messages."""

from pydantic import Field

from card_server.api.shapes import Shape
from card_server.messages.segments import Encoding
from schema.tables.messages import MessageKind
from schema.tables.people import Language


class CarrierCode(Shape):
    """A text at a carrier that sends only what it approved."""

    provider: str
    code: str = Field(description="Empty when it has none.")
    to_paste: str = Field(description="The text as this carrier wants it for approval.")


class MessageText(Shape):
    """A kind's text in one language."""

    kind: MessageKind
    language: Language
    body: str = Field(description="Without the signature; values stand in braces: {student}.")
    is_own: bool = Field(description="Whether the school wrote it itself.")


class MessageTexts(Shape):
    """Every kind in every language."""

    items: list[MessageText]


class MessageTextWhole(MessageText):
    """A text with its codes at carriers."""

    codes: list[CarrierCode]


class MessagePreview(Shape):
    """A text as a parent would get it, with the school's longest name."""

    shown: str
    encoding: Encoding
    characters: int
    units: int = Field(description="Septets of GSM-7, or 16-bit units of UCS-2.")
    segments: int
    price: str = Field(description="Of all segments, in the currency.")
    currency: str
    is_long: bool = Field(description="Whether it takes more SMS than texts usually do.")
