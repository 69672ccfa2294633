"""The roster's other ways, as the API takes and gives them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from card_server.api.inputs import Day, Taken, storable
from card_server.api.shapes import Shape
from card_server.imports.roster.giving import KINDS

_NO_NUL = {"pattern": r"^[^\u0000]*$"}
_Address = Annotated[
    str, Field(min_length=1, max_length=500, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Client = Annotated[
    str, Field(min_length=1, max_length=200, json_schema_extra=_NO_NUL), AfterValidator(storable)
]
_Reason = Annotated[
    str, Field(min_length=2, max_length=200, json_schema_extra=_NO_NUL), AfterValidator(storable)
]


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError("none of these")
    return kind


class NewService(Taken):
    """A OneRoster service, and who we are there."""

    url: _Address
    token_url: _Address
    client_id: _Client
    secret: _Address | None = Field(default=None, description="Null leaves it as it is.")
    version: Literal["1.1", "1.2"] = "1.2"


class RosterExport(Taken):
    """Which file, and why; days that are left out are today."""

    kind: Annotated[
        str,
        AfterValidator(_known_kind),
        WithJsonSchema({"type": "string", "enum": list(KINDS)}),
    ]
    reason: _Reason
    first: Day | None = None
    last: Day | None = None


class Service(Shape):
    """From where the roster is fetched; the secret is told to nobody."""

    url: str
    token_url: str
    client_id: str
    version: str
    changed_at: datetime
    fetched_at: datetime | None


class FetchJob(Shape):
    """What fetches the roster: /jobs/{id}."""

    job_id: int


class PhotoImport(Shape):
    """What became of a zip of photos; of file names 200 at most."""

    kept: int
    unchanged: int
    unknown: list[str] = Field(description="Files whose names are no student number.")
    refused: list[str] = Field(description="Files that are no picture, or too large.")
