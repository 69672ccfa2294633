"""Guardians (家长): adding and changing them, whose they are, and what they want to be told.

One guardian of two siblings is one row, found by name and phone. Messages go to the guardian's own
mobile number alone; who has none keeps a sealed empty text in its place and cannot be told. Further
numbers, landlines among them, are for staff to call.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError, Problems
from card_server.field_errors import marked as _
from card_server.people.names import read_name
from card_server.people.phones import Phone, read_phone
from card_server.people.stays import lock_student
from card_server.seen import changes, refuse_if_changed
from card_server.storage.sealing import Seal
from schema.messages import utc_now
from schema.tables.people import Guardian, GuardianPhone, Guardianship, Language

RELATIONS = ("父亲", "母亲", "祖父", "祖母", "外祖父", "外祖母", "其他监护人")
"""What is suggested; a school may write others."""
_MOST_FURTHER = 5
_WECOM_ID = re.compile(r"[A-Za-z0-9_.@-]{0,64}")
_APART = re.compile(r"[、,，;；\n]+")


@dataclass(frozen=True)
class GuardianSettings:
    """Who a guardian is; a phone of None stays as it is, further numbers are added."""

    name: str
    language: Language
    phone: Phone | None = None
    further: tuple[Phone, ...] = ()
    wecom_id: str | None = None
    """What WeCom calls the guardian (`parent_userid`)."""


@dataclass(frozen=True)
class Tie:
    """What a guardian is to a student, and whether arrivals and departures are told."""

    relation: str
    is_told: bool
    priority: int
    """1 is asked first."""


def read_guardian(typed: Mapping[str, str], countries: Sequence[str]) -> GuardianSettings:
    """What somebody typed of a guardian. Raises FieldsError.

    A landline in the place of the mobile number becomes a further number.
    """
    wrong = Problems()
    name = read_name(wrong, "name", typed.get("name", ""))
    language = _read_language(wrong, typed)
    phone = _read_one(wrong, "phone", typed.get("phone", ""), countries)
    parts = [part for part in _APART.split(typed.get("further", "")) if part.strip()]
    if len(parts) > _MOST_FURTHER:
        wrong.add("further", _("Five further numbers at most."))
    read = [_read_one(wrong, "further", part, countries) for part in parts[:_MOST_FURTHER]]
    if not _WECOM_ID.fullmatch(typed.get("wecom_id", "").strip()):
        wrong.add("wecom_id", _("Letters, digits and the signs _ - . @, 64 at most."))
    wrong.refuse()
    further = [one for one in read if one is not None]
    if phone is not None and not phone.is_mobile:
        further.insert(0, phone)
        phone = None
    wecom_id = typed.get("wecom_id", "").strip() or None
    return GuardianSettings(name, language, phone, tuple(dict.fromkeys(further)), wecom_id)


def read_tie(typed: Mapping[str, str]) -> Tie:
    """What somebody typed of a guardian's part in a student's life. Raises FieldsError."""
    wrong = Problems()
    tie = Tie(
        wrong.text("relation", typed.get("relation", ""), 20),
        bool(typed.get("is_told")),
        wrong.number("priority", typed.get("priority", "") or "1", 1, 9),
    )
    wrong.refuse()
    return tie


def _read_language(wrong: Problems, typed: Mapping[str, str]) -> Language:
    language = typed.get("language", "") or Language.CHINESE
    if language in list(Language):
        return Language(language)
    wrong.add("language", _("Choose from the list."))
    return Language.CHINESE


def _read_one(wrong: Problems, field: str, typed: str, countries: Sequence[str]) -> Phone | None:
    if not typed.strip():
        return None
    try:
        return read_phone(typed, countries)
    except AppError as error:
        wrong.add(field, error.message)
        return None


def add_guardian(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    wanted: GuardianSettings,
    tie: Tie,
    seal: Seal,
) -> Guardian:
    """A guardian of this student: the one that the school knows by name and phone, or a new one.

    Raises AppError(NOT_FOUND), FieldsError when this guardian is the student's already, or is to be
    told without a mobile number.
    """
    student = lock_student(session, school_id, student_id)
    if wanted.phone is None and not wanted.further:
        raise FieldsError({"phone": _("Write at least one number.")})
    guardian = _find_known(session, school_id, wanted, seal)
    if guardian is None:
        guardian = Guardian(school_id=school_id, name=wanted.name, language=wanted.language)
        guardian.wecom_id = wanted.wecom_id
        _keep_number(guardian, wanted.phone, seal)
        session.add(guardian)
        session.flush()
        details = {"name": wanted.name, "phone": guardian.phone_tail, "language": wanted.language}
        subject = f"guardian:{guardian.id}"
        note(session, school_id, actor, "guardian.made", subject, details=details)
    _add_further(session, guardian, wanted.further, seal)
    _link(session, actor, school_id, student.id, guardian, tie)
    return guardian


def link_guardian(
    session: Session, actor: Actor, school_id: int, student_id: int, guardian_id: int, tie: Tie
) -> Guardian:
    """A guardian whom the school knows becomes this student's as well. Raises as add_guardian."""
    student = lock_student(session, school_id, student_id)
    guardian = session.scalar(
        select(Guardian).where(Guardian.school_id == school_id, Guardian.id == guardian_id)
    )
    if guardian is None:
        raise AppError(Code.NOT_FOUND, NO_GUARDIAN)
    _link(session, actor, school_id, student.id, guardian, tie)
    return guardian


def change_guardian(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    guardian_id: int,
    wanted: GuardianSettings,
    tie: Tie,
    seal: Seal,
    seen: str | None = None,
) -> bool:
    """Whether anything changed; the guardian's own part counts for siblings as well.

    Raises AppError(NOT_FOUND), AppError(CONFLICT) when it is not as it was seen, FieldsError when
    somebody is to be told without a mobile number.
    """
    guardian, link = lock_guardian(session, school_id, student_id, guardian_id)
    before = shown_of(guardian, link)
    refuse_if_changed(before, seen)
    has_new_phone = wanted.phone is not None and guardian.phone_hash != seal.hash(
        wanted.phone.number
    )
    if has_new_phone:
        _change_number(guardian, wanted.phone, seal)
    _refuse_untellable(guardian, tie)
    guardian.name, guardian.language = wanted.name, wanted.language
    guardian.wecom_id = wanted.wecom_id
    _keep_tie(link, tie)
    added = _add_further(session, guardian, wanted.further, seal)
    session.flush()
    changed = changes(before, shown_of(guardian, link))
    if added:
        changed["further"] = [None, "、".join(added)]
    if not changed and not has_new_phone:
        return False
    _note(session, actor, school_id, "guardian.changed", student_id, guardian_id, changed)
    return True


def unlink_guardian(
    session: Session, actor: Actor, school_id: int, student_id: int, guardian_id: int
) -> None:
    """This guardian is not the student's any more; the guardian stays for siblings and messages."""
    guardian, link = lock_guardian(session, school_id, student_id, guardian_id)
    details = {"name": guardian.name, "relation": link.relation}
    session.delete(link)
    session.flush()
    _note(session, actor, school_id, "guardian.unlinked", student_id, guardian_id, details)


def remove_further(
    session: Session,
    actor: Actor,
    school_id: int,
    student_id: int,
    guardian_id: int,
    phone_id: int,
) -> None:
    """Keep a further number no longer. Raises AppError(NOT_FOUND)."""
    lock_guardian(session, school_id, student_id, guardian_id)
    phone = session.scalar(
        select(GuardianPhone).where(
            GuardianPhone.guardian_id == guardian_id, GuardianPhone.id == phone_id
        )
    )
    if phone is None:
        raise AppError(Code.NOT_FOUND, "There is no such number.")
    details = {"further": [phone.phone_tail, None]}
    session.delete(phone)
    session.flush()
    _note(session, actor, school_id, "guardian.changed", student_id, guardian_id, details)


def open_phones(
    session: Session, school_id: int, student_id: int, guardian_id: int, seal: Seal
) -> list[str]:
    """A guardian's numbers in E.164, the one for messages first; the caller notes the look."""
    guardian, _tie = find_guardian(session, school_id, student_id, guardian_id)
    further = session.scalars(
        select(GuardianPhone)
        .where(GuardianPhone.guardian_id == guardian.id)
        .order_by(GuardianPhone.id)
    )
    sealed = [guardian.phone_sealed, *(one.phone_sealed for one in further)]
    return [number for number in map(seal.open, sealed) if number]


def find_guardian(
    session: Session, school_id: int, student_id: int, guardian_id: int
) -> tuple[Guardian, Guardianship]:
    """A student's guardian. Raises AppError(NOT_FOUND)."""
    row = session.execute(
        select(Guardian, Guardianship)
        .join(Guardianship, Guardianship.guardian_id == Guardian.id)
        .where(
            Guardian.school_id == school_id,
            Guardian.id == guardian_id,
            Guardianship.student_id == student_id,
        )
    ).one_or_none()
    if row is None:
        raise AppError(Code.NOT_FOUND, NO_GUARDIAN)
    return row[0], row[1]


def lock_guardian(
    session: Session, school_id: int, student_id: int, guardian_id: int
) -> tuple[Guardian, Guardianship]:
    """The same, while nobody else can change it."""
    guardian, link = find_guardian(session, school_id, student_id, guardian_id)
    session.refresh(guardian, with_for_update={"key_share": True})
    session.refresh(link, with_for_update={"key_share": True})
    return guardian, link


def shown_of(guardian: Guardian, link: Guardianship) -> dict[str, object]:
    """What a form shows of a guardian; of the phone the last digits."""
    return {
        "name": guardian.name,
        "language": guardian.language,
        "phone": guardian.phone_tail,
        "wecom_id": guardian.wecom_id,
        "relation": link.relation,
        "is_told": link.is_told,
        "priority": link.priority,
    }


def _find_known(
    session: Session, school_id: int, wanted: GuardianSettings, seal: Seal
) -> Guardian | None:
    """Whom the school has by this name with this mobile number; or, without one, a further one."""
    known = select(Guardian).where(Guardian.school_id == school_id, Guardian.name == wanted.name)
    if wanted.phone is not None:
        known = known.where(Guardian.phone_hash == seal.hash(wanted.phone.number))
    else:
        hashes = [seal.hash(one.number) for one in wanted.further]
        known = known.where(
            Guardian.id.in_(
                select(GuardianPhone.guardian_id).where(
                    GuardianPhone.school_id == school_id, GuardianPhone.phone_hash.in_(hashes)
                )
            )
        )
    return session.scalars(known.order_by(Guardian.id).limit(1)).first()


def _link(
    session: Session, actor: Actor, school_id: int, student_id: int, guardian: Guardian, tie: Tie
) -> None:
    if session.get(Guardianship, (student_id, guardian.id)) is not None:
        raise FieldsError({"name": _("This guardian is the student's already.")}, Code.CONFLICT)
    _refuse_untellable(guardian, tie)
    link = Guardianship(student_id=student_id, guardian_id=guardian.id)
    _keep_tie(link, tie)
    session.add(link)
    session.flush()
    details = {"name": guardian.name, "relation": tie.relation, "is_told": tie.is_told}
    _note(session, actor, school_id, "guardian.linked", student_id, guardian.id, details)


def _keep_tie(link: Guardianship, tie: Tie) -> None:
    link.relation, link.is_told, link.priority = tie.relation, tie.is_told, tie.priority


def _change_number(guardian: Guardian, phone: Phone | None, seal: Seal) -> None:
    """Another number than before: nobody knows yet whose it is, and the old one gets no more."""
    _keep_number(guardian, phone, seal)
    guardian.phone_since, guardian.verified_at, guardian.verified_by = utc_now(), None, ""


def _keep_number(guardian: Guardian, phone: Phone | None, seal: Seal) -> None:
    number = phone.number if phone else ""
    guardian.phone_sealed, guardian.phone_hash = seal.close(number), seal.hash(number)
    guardian.phone_tail = number[-4:]


def _add_further(
    session: Session, guardian: Guardian, phones: Sequence[Phone], seal: Seal
) -> list[str]:
    """Keep these numbers too; the last digits of those that are new."""
    known = set(
        session.scalars(
            select(GuardianPhone.phone_hash).where(GuardianPhone.guardian_id == guardian.id)
        )
    )
    known.add(guardian.phone_hash)
    new = [phone for phone in phones if seal.hash(phone.number) not in known]
    session.add_all(
        GuardianPhone(
            school_id=guardian.school_id,
            guardian_id=guardian.id,
            phone_sealed=seal.close(phone.number),
            phone_hash=seal.hash(phone.number),
            phone_tail=phone.tail,
        )
        for phone in new
    )
    session.flush()
    return [phone.tail for phone in new]


def _refuse_untellable(guardian: Guardian, tie: Tie) -> None:
    if tie.is_told and not guardian.phone_tail:
        raise FieldsError({"is_told": _("Messages need a mobile number, and there is none.")})


def _note(
    session: Session,
    actor: Actor,
    school_id: int,
    action: str,
    student_id: int,
    guardian_id: int,
    details: Mapping[str, object],
) -> None:
    """The subject is the guardian; which student it was about stands in the details."""
    both = {**details, "student": student_id}
    note(session, school_id, actor, action, f"guardian:{guardian_id}", details=both)


NO_GUARDIAN = _("This student has no such guardian.")
