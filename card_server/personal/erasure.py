"""Erasing a student who has left (删除个人信息, PIPL art. 47), in the caller's one transaction.

Goes: all that names or shows the student; the guardians who have no other child here; notes, photo,
homerooms and beds; leave slips, corrections, notes on days, exemptions, evacuations and roll calls;
the texts of messages; whose card, tap and registration it was; the personal part of the audit log;
what other systems were told; files that were written in the background.
Stays, without a person: the student's row, empty, and the days, taps, messages and registrations
that counts are made of; the audit log's entries, which name nobody. So the log still verifies.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from card_server.audit.details import Detail
from card_server.audit.erasing import erase_details_where
from card_server.audit.writing import Actor, erase_details, note
from card_server.cards.cards import release_cards
from card_server.errors import AppError, Code
from card_server.field_errors import Problems
from card_server.field_errors import marked as _
from card_server.people.stays import lock_student
from card_server.people.student_search import to_narrow
from card_server.people.student_status import AWAY_FOR_GOOD
from schema.tables.attendance import Correction, DayNote, Exemption, HandPassage, Presence
from schema.tables.cards import CardBinding, CardHistory
from schema.tables.evacuation import EvacuationStudent
from schema.tables.findings import TapPair
from schema.tables.jobs import Job, JobPiece, JobState
from schema.tables.leave import LeaveSlip
from schema.tables.messages import (
    LimitScope,
    Message,
    MessageCount,
    MessageState,
    Suppression,
)
from schema.tables.parents import ParentCode, ParentLink, ParentSession
from schema.tables.people import (
    Boarding,
    Guardian,
    GuardianPhone,
    Guardianship,
    HomeroomStay,
    Sex,
    Student,
    StudentNote,
    StudentPhoto,
)
from schema.tables.registration import Registration
from schema.tables.roll_call import RollCall
from schema.tables.roster import RosterImport, RosterState
from schema.tables.taps import Tap
from schema.tables.webhooks import WebhookDelivery

ACTION: Final = "student.erased"
NOBODY: Final = 0
"""The id of a person in rows that are counted and must not name one."""
_SHORTEST_NAME: Final = 2


@dataclass(frozen=True)
class Erasing:
    """Who erases whom, when and why; the number is typed again, so that it is the one meant."""

    actor: Actor
    school_id: int
    student_id: int
    typed_number: str
    reason: str
    now: datetime


def erase_student(session: Session, doing: Erasing) -> None:
    """Erase one student.

    Raises AppError(NOT_FOUND); FieldsError for another number, and for no reason or one that names
    the person; AppError(CONFLICT) for who has not left, who is erased already, and while files
    with students in them are being made or read.
    """
    _zero_what_goes(session)
    student = lock_student(session, doing.school_id, doing.student_id)
    guardians = _list_guardians(session, doing)
    _refuse(student, guardians, doing)
    _refuse_while_busy(session, doing.school_id)
    release_cards(session, doing.actor, student.id, "", doing.now)
    session.flush()
    lonely = _guardians_of_nobody_else(session, doing, [one.id for one in guardians])
    _erase_log(session, doing, [one.id for one in guardians], lonely)
    _erase_traces(session, doing)
    _erase_messages(session, doing)
    _erase_files(session, doing)
    _erase_people(session, doing, lonely)
    _empty(student, doing.now)
    session.flush()
    details = {"guardians": len(lonely)}
    subject = f"student:{doing.student_id}"
    note(
        session,
        doing.school_id,
        doing.actor,
        ACTION,
        subject,
        reason=doing.reason,
        details=details,
    )


def _zero_what_goes(session: Session) -> None:
    """SQLite otherwise leaves what was deleted readable in the file until the space is used."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _list_guardians(session: Session, doing: Erasing) -> list[Guardian]:
    found = session.scalars(
        select(Guardian)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .where(Guardian.school_id == doing.school_id, Guardianship.student_id == doing.student_id)
        .order_by(Guardian.id)
        .with_for_update(of=Guardian)
    )
    return list(found)


def _refuse(student: Student, guardians: list[Guardian], doing: Erasing) -> None:
    if student.status not in AWAY_FOR_GOOD:
        raise AppError(
            Code.CONFLICT,
            "Only a student who was transferred or has graduated can be erased. "
            "Change the status first.",
        )
    wrong = Problems()
    if "".join(to_narrow(doing.typed_number).split()) != student.number:
        wrong.add("number", _("This is not the student's number."))
    if not doing.reason:
        wrong.add("reason", _("Write the reason: the audit log keeps it."))
    names = [student.name, student.number, *(one.name for one in guardians)]
    if any(len(name) >= _SHORTEST_NAME and name in doing.reason for name in names):
        wrong.add("reason", _("Write the reason without names and numbers: it is kept."))
    wrong.refuse()


def _refuse_while_busy(session: Session, school_id: int) -> None:
    """What is being written or read now would bring the person back."""
    is_open = Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    job = select(Job.id).where(Job.school_id == school_id, is_open).limit(1)
    waits = RosterImport.state == RosterState.WAITING
    roster = select(RosterImport.id).where(RosterImport.school_id == school_id, waits).limit(1)
    if session.scalar(job) is not None:
        raise AppError(
            Code.CONFLICT, "A background job of the school is under way. Wait until it has ended."
        )
    if session.scalar(roster) is not None:
        raise AppError(
            Code.CONFLICT, "A roster waits to be imported. Import it or discard it first."
        )


def _guardians_of_nobody_else(session: Session, doing: Erasing, ids: list[int]) -> list[int]:
    others = select(Guardianship.guardian_id).where(
        Guardianship.guardian_id.in_(ids), Guardianship.student_id != doing.student_id
    )
    return sorted({*ids} - {*session.scalars(others)})


def _erase_log(session: Session, doing: Erasing, guardians: list[int], lonely: list[int]) -> None:
    """The log's personal parts: of the student, the guardians who go, and the student's cards.

    Of what stays, a sibling's guardian or a card that others had, the entries that are about this
    student.
    """
    school_id, actor, own = doing.school_id, doing.actor, doing.student_id
    for subject in (
        f"student:{doing.student_id}",
        *(f"guardian:{guardian_id}" for guardian_id in lonely),
    ):
        erase_details(session, school_id, subject, actor)
    bound = select(CardBinding.card_id).where(CardBinding.student_id == doing.student_id)
    stepped = select(CardHistory.card_id).where(CardHistory.student_id == doing.student_id)
    cards = {*session.scalars(bound), *session.scalars(stepped)}
    shared = [f"guardian:{one}" for one in guardians if one not in lonely]
    of_cards = [f"card:{one}" for one in sorted(cards)]
    erase_details_where(session, school_id, shared, actor, lambda one: _student_of(one) == own)
    erase_details_where(
        session, school_id, of_cards, actor, lambda one: _student_of(one) in (own, None)
    )


def _student_of(detail: Detail) -> object:
    """Whom an entry about a card or a guardian is about; of a card that is handed in, nobody."""
    return detail.details.get("student")


def _erase_traces(session: Session, doing: Erasing) -> None:
    """Cards, taps and registrations are nobody's."""
    school_id, student_id = doing.school_id, doing.student_id
    _change(
        session, Tap, {"student_id": None}, Tap.school_id == school_id, Tap.student_id == student_id
    )
    cards = select(CardBinding.card_id).where(CardBinding.student_id == student_id)
    of_nobody = CardHistory.student_id.is_(None) & CardHistory.card_id.in_(cards)
    _change(
        session,
        CardHistory,
        {"student_id": None, "reason": ""},
        CardHistory.school_id == school_id,
        or_(CardHistory.student_id == student_id, of_nobody),
    )
    _change(
        session,
        Registration,
        {"tap_id": None, "by": "", "reason": ""},
        Registration.school_id == school_id,
        Registration.student_id == student_id,
    )
    tables: tuple[Any, ...] = (
        CardBinding,
        Presence,
        LeaveSlip,
        Correction,
        DayNote,
        Exemption,
        HandPassage,
        EvacuationStudent,
        RollCall,
        TapPair,
        HomeroomStay,
        Boarding,
        StudentNote,
        StudentPhoto,
    )
    for table in tables:
        _drop(session, table, table.school_id == school_id, table.student_id == student_id)


def _erase_messages(session: Session, doing: Erasing) -> None:
    """What was not sent yet is not sent any more, and nobody asks about what is unclear."""
    own = (Message.school_id == doing.school_id, Message.student_id == doing.student_id)
    unsent = {"state": MessageState.SUPPRESSED, "suppression": Suppression.STALE}
    _change(session, Message, unsent, *own, Message.state == MessageState.QUEUED)
    unclear = {"state": MessageState.UNDELIVERED, "look_up_at": None}
    _change(session, Message, unclear, *own, Message.state == MessageState.UNKNOWN)
    nobody = {
        "body": "",
        "slots": "[]",
        "error": None,
        "provider_id": None,
        "to_sealed": None,
        "to_hash": None,
        "tap_id": None,
        "student_id": NOBODY,
        "guardian_id": NOBODY,
    }
    _change(session, Message, nobody, *own)
    _drop(
        session,
        MessageCount,
        MessageCount.school_id == doing.school_id,
        MessageCount.scope == LimitScope.STUDENT,
        MessageCount.key == str(doing.student_id),
    )


def _erase_files(session: Session, doing: Erasing) -> None:
    """Results of the last day may hold the student in a list; they can be made anew."""
    ours = select(Job.id).where(Job.school_id == doing.school_id)
    _drop(session, JobPiece, JobPiece.job_id.in_(ours))
    gone = {"file_name": None, "file_bytes": 0, "file_rows": None}
    _change(session, Job, gone, Job.school_id == doing.school_id)
    about = f'%"student":{{"id":{doing.student_id},%'
    of_school = WebhookDelivery.school_id == doing.school_id
    _drop(session, WebhookDelivery, of_school, WebhookDelivery.body.like(about))


def _erase_people(session: Session, doing: Erasing, lonely: list[int]) -> None:
    """That a number asked for no more messages stays known, by its keyed hash alone."""
    _drop(session, Guardianship, Guardianship.student_id == doing.student_id)
    for table in (GuardianPhone, ParentLink, ParentCode, ParentSession):
        _drop(session, table, table.guardian_id.in_(lonely))
    of_school = Guardian.school_id == doing.school_id
    _drop(session, Guardian, of_school, Guardian.id.in_(lonely))
    # Of a child that was theirs once; the notifier leaves what is unclear to a person then.
    theirs = (Message.school_id == doing.school_id, Message.guardian_id.in_(lonely))
    _change(session, Message, {"to_sealed": None, "to_hash": None}, *theirs)
    is_asked = Message.look_up_at.is_not(None)
    _change(session, Message, {"look_up_at": doing.now}, *theirs, is_asked)


def _empty(student: Student, now: datetime) -> None:
    """Its number is a new one that nobody has: numbers differ."""
    student.number, student.name, student.pinyin = f"erased-{student.id}", "", ""
    student.sex, student.born_on = Sex.UNKNOWN, None
    student.identity_sealed, student.identity_hash, student.identity_tail = None, None, ""
    student.registry_sealed, student.registry_tail, student.sourced_id = None, "", None
    student.status_since, student.gone_at, student.erased_at = None, None, now


def _change(session: Session, table: Any, values: dict[str, Any], *conditions: Any) -> None:
    session.execute(
        update(table)
        .where(*conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _drop(session: Session, table: Any, *conditions: Any) -> None:
    session.execute(delete(table).where(*conditions).execution_options(synchronize_session=False))
