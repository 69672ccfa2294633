"""The desk (发卡台): a card held to its reader is given to the student shown, or looked up."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from card_server.access import allow, school_in_use, school_session
from card_server.cards.cards import Doing, take_back
from card_server.cards.desk import Answer, find_tapped, give_tapped
from card_server.errors import AppError, Code
from card_server.people.student_search import MAX_FOUND, search_students
from card_server.reports.cards import CardReport, read_card
from card_server.reports.desk import (
    FRESH,
    DeskStudent,
    find_desk_student,
    list_desks,
    newest_tap,
    next_taps,
    next_without_card,
)
from card_server.reports.listings import list_homerooms
from card_server.web.card_pages import ADMINS, doing_now
from card_server.web.changing import NOTHING_WRONG, Wrong, try_change

_DAY = timedelta(days=1)

pages = Blueprint("desk", __name__)


@dataclass(frozen=True)
class Turn:
    """Where the desk stands: what its page carries from one tap to the next. Ids only."""

    reader_id: int | None
    homeroom_id: int | None
    student_id: int | None
    after: datetime
    """When the last tap came that was dealt with."""
    takes_new: bool = False


@dataclass(frozen=True)
class Result:
    """What the last tap, or the last button, led to."""

    uid: str
    answer: Answer | None
    """None when the card was only looked at."""
    card: CardReport | None
    student: DeskStudent | None
    """Whom it was for."""
    errors: dict[str, str]


@pages.get("/cards/desk")
@allow(*ADMINS)
def show() -> ResponseReturnValue:
    """The desk: its reader, and whom the next card is for."""
    school_id = school_in_use().id
    with school_session() as session:
        desks = list_desks(session, school_id)
        rooms = list_homerooms(session, school_id)
        ids = [one.id for one in desks]
        asked = request.args.get("reader", type=int)
        reader_id = asked if asked in ids else next(iter(ids), None)
        turn = _begin(session, school_id, reader_id)
        values = _values(session, school_id, turn)
    return render_template("desk.html", desks=desks, homerooms=rooms, result=None, **values)


def _begin(session: Session, school_id: int, reader_id: int | None) -> Turn:
    """A turn that begins after whatever was tapped before."""
    homeroom_id = request.args.get("homeroom", type=int)
    student_id = request.args.get("student", type=int)
    if homeroom_id and not student_id:
        student_id, _ = next_without_card(session, school_id, homeroom_id)
    now = datetime.now(UTC)
    last = newest_tap(session, school_id, reader_id, now - _DAY) if reader_id else None
    after = last.received_at if last else now - FRESH
    return Turn(reader_id, homeroom_id, student_id, after, "takes_new" in request.args)


@pages.post("/cards/desk/tap")
@allow(*ADMINS)
def tap() -> ResponseReturnValue:
    """The next card that was held to the reader, if there is one: give it, or say whose it is."""
    turn, school_id = _read_turn(), school_in_use().id
    if turn.reader_id is None:
        return Response(status=204)
    since = max(turn.after, datetime.now(UTC) - FRESH)
    with school_session() as session:
        taps = next_taps(session, school_id, turn.reader_id, since, limit=2)
    if not taps:
        return Response(status=204)
    turn = replace(turn, after=taps[0].received_at)
    return _deal_with(turn, taps[0].uid, takes_new=turn.takes_new, more=len(taps) > 1)


@pages.post("/cards/desk/give")
@allow(*ADMINS)
def give() -> ResponseReturnValue:
    """Give the card that was tapped last all the same: as a new one, or in another's place."""
    uid = request.form.get("uid", "")[:20]
    return _deal_with(
        _read_turn(), uid, takes_new="stock" in request.form, replaces="replaces" in request.form
    )


@pages.post("/cards/desk/undo")
@allow(*ADMINS)
def undo() -> ResponseReturnValue:
    """Take the card back that was given last; the student is next again."""
    turn, school_id = _read_turn(), school_in_use().id
    card_id = request.form.get("given", 0, type=int)
    student_id = request.form.get("given_to", type=int)
    doing = replace(doing_now(), reason=gettext("undone at the desk"))
    wrong = try_change(lambda session: take_back(session, doing, card_id))
    with school_session() as session:
        values = _values(session, school_id, replace(turn, student_id=student_id))
    result = Result("", None, None, None, wrong.errors) if wrong.errors else None
    return render_template("desk_part.html", result=result, is_undone=not wrong.errors, **values)


@pages.post("/cards/desk/find")
@allow(*ADMINS)
def find() -> ResponseReturnValue:
    """Students to choose from; by POST, because a name must not stand in an address."""
    words = request.form.get("words", "")[:100]
    with school_session() as session:
        found = search_students(session, school_in_use().id, words)
    return render_template(
        "desk_found.html", found=found, words=words, most=MAX_FOUND, turn=_read_turn()
    )


def _deal_with(
    turn: Turn, uid: str, *, takes_new: bool, replaces: bool = False, more: bool = False
) -> ResponseReturnValue:
    """Give the card to the student of this turn, or look whose it is when there is none."""
    school_id, doing = school_in_use().id, doing_now()
    answers: list[Answer] = []

    def step(session: Session) -> None:
        if turn.student_id is not None:
            answer, _card = give_tapped(
                session, doing, uid, turn.student_id, takes_new=takes_new, replaces=replaces
            )
            answers.append(answer)

    wrong = _try(step) if turn.student_id is not None else NOTHING_WRONG
    with school_session() as session:
        result = _look(session, doing, turn, uid, answers, wrong)
        is_given = result.answer in (Answer.GIVEN, Answer.REPLACED)
        values = _values(session, school_id, _next(session, turn) if is_given else turn)
    return render_template("desk_part.html", result=result, has_more=more, **values)


def _try(step: object) -> Wrong:
    """Like try_change; a student who is gone is a sentence on the page and no other page."""
    try:
        return try_change(step)  # type: ignore[arg-type]
    except AppError as error:
        return Wrong({"": gettext(error.message)}, 404, is_conflict=False)


def _look(
    session: Session, doing: Doing, turn: Turn, uid: str, answers: list[Answer], wrong: Wrong
) -> Result:
    known = find_tapped(session, doing.school_id, uid)
    card = read_card(session, doing.school_id, known.id) if known.id else None
    student = (
        find_desk_student(session, doing.school_id, turn.student_id) if turn.student_id else None
    )
    answer = answers[0] if answers and not wrong.errors else None
    return Result(uid, answer, card, student, wrong.errors)


def _next(session: Session, turn: Turn) -> Turn:
    """Whose turn it is after a card was given: the next of the homeroom, or nobody."""
    if turn.homeroom_id is None or turn.student_id is None:
        return replace(turn, student_id=None)
    school_id = school_in_use().id
    before = find_desk_student(session, school_id, turn.student_id)
    after = before.number if before else ""
    student_id, _ = next_without_card(session, school_id, turn.homeroom_id, after)
    return replace(turn, student_id=student_id)


def _values(session: Session, school_id: int, turn: Turn) -> dict[str, object]:
    """What the changing part of the page shows."""
    student = find_desk_student(session, school_id, turn.student_id) if turn.student_id else None
    left, skip = 0, None
    if turn.homeroom_id:
        number = student.number if student else ""
        skip, left = next_without_card(session, school_id, turn.homeroom_id, number)
    return {
        "turn": replace(turn, student_id=student.id if student else None),
        "student": student,
        "left": left,
        "skip": skip,
        "Answer": Answer,
    }


def _read_turn() -> Turn:
    """The turn that the page carries. Raises AppError(INVALID) for what is no moment."""
    form = request.form
    try:
        after = datetime.fromisoformat(form.get("after", ""))
        after = after.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise AppError(Code.INVALID, "This page is too old. Open it again.") from error
    return Turn(
        form.get("reader", type=int),
        form.get("homeroom", type=int),
        form.get("student", type=int),
        after,
        "takes_new" in form,
    )
