"""Taking a whole list of cards into stock, and giving those to students that name one."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.cards.cards import Doing, issue_card
from card_server.cards.notations import Notation
from card_server.cards.numbers import KNOWN
from card_server.cards.stock import NewCard, judge_new, known_numbers, stock_cards
from card_server.errors import AppError, Code
from card_server.field_errors import marked as _
from card_server.imports.card_list import CardLine, number_of
from schema.tables.cards import Card, CardKind
from schema.tables.people import Student

MOST_GIVEN: Final = 1_000
"""Of one list with student numbers: each is a step of its own, with its locks and notes."""
_SHORT: Final = _(
    "This notation leaves a card's last byte out: it finds cards that the school has,"
    " and no or several cards begin with this number."
)
_NOBODY: Final = _("The school has no student with this number.")
_TWICE: Final = _("This student stands in the list twice.")
_ASKED_AT_ONCE: Final = 500


class Planned(NamedTuple):
    """What will be done with a line; nothing with the list as long as one has a fault."""

    line: CardLine
    uid: str
    fault: str | None
    """A sentence in English, to be translated."""
    card_id: int | None = None
    """Of a card that the school has: it is only given."""
    student_id: int | None = None


def plan_list(
    session: Session, school_id: int, lines: Sequence[CardLine], notation: Notation
) -> list[Planned]:
    """Each line by this notation, with what speaks against it."""
    numbers = [number_of(line, notation) for line in lines]
    uids = ["" if isinstance(one, str) else _whole(session, school_id, *one) for one in numbers]
    known = known_numbers(session, school_id, [uid for uid in uids if uid])
    faults = judge_new(session, school_id, uids)
    students = _find_students(session, school_id, {line.student for line in lines} - {""})
    seen: set[str] = set()
    planned = []
    for line, number, uid, against in zip(lines, numbers, uids, faults, strict=True):
        fault = number if isinstance(number, str) else _SHORT if not uid else against
        if fault == KNOWN and line.student:
            fault = None
        if fault is None and line.student:
            fault = _fault_of_student(line.student, students, seen)
            seen.add(line.student)
        planned.append(Planned(line, uid, fault, known.get(uid), students.get(line.student)))
    return planned


def _whole(session: Session, school_id: int, number: str, is_whole: bool) -> str:
    """The number of the one card that begins like this, where the notation leaves a byte out."""
    if is_whole:
        return number
    found = session.scalars(
        select(Card.uid).where(Card.school_id == school_id, Card.uid.like(f"{number}__")).limit(2)
    ).all()
    return found[0] if len(found) == 1 else ""


def _find_students(session: Session, school_id: int, numbers: set[str]) -> dict[str, int]:
    wanted, found = sorted(numbers), dict[str, int]()
    for begin in range(0, len(wanted), _ASKED_AT_ONCE):
        part = wanted[begin : begin + _ASKED_AT_ONCE]
        rows = session.execute(
            select(Student.number, Student.id).where(
                Student.school_id == school_id, Student.number.in_(part)
            )
        )
        found.update((number, id_) for number, id_ in rows)
    return found


def _fault_of_student(number: str, students: dict[str, int], seen: set[str]) -> str | None:
    if number not in students:
        return _NOBODY
    return _TWICE if number in seen else None


def take_list(
    session: Session, doing: Doing, planned: Sequence[Planned], kind: CardKind
) -> tuple[int, int]:
    """Everything or nothing; how many were taken into stock, and how many given to students.

    Raises AppError: INVALID for a list with faults, CONFLICT when a student cannot get the card.
    """
    if any(one.fault for one in planned):
        raise AppError(Code.INVALID, "The list has lines that cannot be taken. Nothing was done.")
    given = [one for one in planned if one.student_id is not None]
    if len(given) > MOST_GIVEN:
        raise AppError(
            Code.INVALID, "At most 1,000 lines with student numbers at once. Cut the list."
        )
    new = [NewCard(one.uid, one.line.label, kind) for one in planned if one.card_id is None]
    made = {card.uid: card.id for card in stock_cards(session, doing, new)} if new else {}
    for one in sorted(given, key=lambda plan: plan.student_id or 0):
        card_id = one.card_id if one.card_id is not None else made[one.uid]
        if one.student_id is not None:
            issue_card(session, doing, card_id, one.student_id)
    return len(made), len(given)
