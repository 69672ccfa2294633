"""School notices: what each became, what one would cost, and sending it."""

from datetime import datetime
from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import Field

from card_server.access import allow, changing_session, now, school_in_use, school_session
from card_server.api.inputs import SentGrade, SentId, Taken
from card_server.api.people_routes import SEEING
from card_server.api.requests import language_in_use
from card_server.api.shapes import Shape
from card_server.background import asker_in_use
from card_server.messages.giving_notice import give_notice
from card_server.messages.notices import (
    MOST,
    NoticeWish,
    list_notices,
    preview_notice,
    read_notice,
)

routes = APIBlueprint("notices", __name__, tag="Messages", url_prefix="/notices")


class NewNotice(Taken):
    """A notice to be looked at or sent; without grade and homerooms to everybody within reach."""

    chinese: Annotated[str, Field(min_length=1, max_length=MOST)]
    english: Annotated[str, Field(max_length=MOST)] = ""
    grade: SentGrade | None = None
    homeroom_ids: Annotated[list[SentId], Field(max_length=30)] = []


class NoticePreview(Shape):
    """What a notice would be."""

    body: str
    english_body: str = Field(description="Empty when everybody gets the Chinese text.")
    numbers: int
    segments: int
    price: int = Field(description="In thousandths of the currency.")
    currency: str


class GivenNotice(Shape):
    """A notice that is on its way."""

    notice_id: int
    sent: int = Field(description="Messages that are queued already.")
    job_id: int | None = Field(description="The job that queues them, when they are very many.")


class NoticeLine(Shape):
    """A notice and what became of its messages."""

    id: int
    audience: str = Field(description="school, grade:7, or homeroom:12 homeroom:13.")
    text_chinese: str
    text_english: str
    made_by: str
    made_at: datetime
    sent: int
    taken: int
    delivered: int
    failed: int
    waiting: int
    suppressed: int


class Notices(Shape):
    """The newest notices."""

    items: list[NoticeLine]


@routes.get("")
@allow(*SEEING)
@routes.output(Notices)
def notices() -> Any:
    """The newest notices with what became of their messages."""
    with school_session() as session:
        return {"items": list_notices(session, school_in_use().id)}


@routes.post("/preview")
@allow(*SEEING)
@routes.input(NewNotice, arg_name="sent")
@routes.output(NoticePreview)
def preview(sent: NewNotice) -> Any:
    """How many numbers a notice would reach, and what it would cost; nothing is sent."""
    with school_session() as session:
        return preview_notice(session, school_in_use().id, _read(sent))


@routes.post("")
@allow(*SEEING)
@routes.input(NewNotice, arg_name="sent")
@routes.output(GivenNotice, status_code=201)
def send(sent: NewNotice) -> Any:
    """Send a notice, once to each number of guardians who want notices."""
    with changing_session() as session:
        asker = asker_in_use(language_in_use())
        return give_notice(session, asker, _read(sent), now())._asdict()


def _read(sent: NewNotice) -> NoticeWish:
    audience = "school" if sent.grade is None else f"grade:{sent.grade}"
    typed = {
        "audience": "homerooms" if sent.homeroom_ids else audience,
        "chinese": sent.chinese,
        "english": sent.english,
    }
    return read_notice(typed, sent.homeroom_ids)
