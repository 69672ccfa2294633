"""What the API takes about the texts of messages and their codes at carriers."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictBool

from card_server.api.inputs import Taken, storable
from card_server.messages.own_texts import MOST
from schema.tables.messages import MessageKind
from schema.tables.people import Language

_Body = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MOST,
        json_schema_extra={"pattern": r"^[^\u0000]*$"},
        description="Without the signature; values stand in braces: {student}.",
    ),
    AfterValidator(storable),
]


class TextPath(Taken):
    """Which text."""

    kind: MessageKind
    language: Language


class CodePath(TextPath):
    """Which text at which carrier."""

    provider: Literal["aliyun", "tencent"]


class TextChange(Taken):
    """A text in the place of the one in force."""

    body: _Body
    may_be_long: StrictBool = Field(
        default=False, description="Whether it may take more SMS than texts usually do."
    )


class TextSample(Taken):
    """A text that is only looked at."""

    body: _Body


class CodeChange(Taken):
    """The carrier's code of the text; empty to have none."""

    code: Annotated[str, Field(max_length=64, pattern=r"^[!-~]*$")]
