"""The words that pages show for stored choices, in both languages."""

from enum import StrEnum

from flask_babel import LazyString, lazy_gettext

from card_server.theme import Theme
from card_server.words.attendance import ATTENDANCE_WORDS
from card_server.words.messages import MESSAGE_WORDS
from schema.messages import CardState, Decision, ReaderState, Refusal, Rejection, SourceState
from schema.tables.calendar import DayKind, DayPart, EntrySource, ForWhom
from schema.tables.card_faces import FaceField, FaceOrientation
from schema.tables.cards import CardKind, CardStep
from schema.tables.jobs import JobState
from schema.tables.leave import LeaveState
from schema.tables.people import Language, Sex, StudentStatus
from schema.tables.readers import ByteOrder, Direction, Purpose
from schema.tables.staff import Role, Scope
from schema.tables.taps import DirectionBy, Effect

WORDS: dict[type[StrEnum], dict[str, LazyString]] = {
    Decision: {
        Decision.ADMITTED: lazy_gettext("admitted"),
        Decision.REFUSED: lazy_gettext("refused"),
    },
    Direction: {Direction.IN: lazy_gettext("in"), Direction.OUT: lazy_gettext("out")},
    DirectionBy: {
        DirectionBy.READER: lazy_gettext("fixed at the reader"),
        DirectionBy.TIMETABLE: lazy_gettext("by the timetable"),
        DirectionBy.ALTERNATION: lazy_gettext("in and out by turns"),
    },
    Effect: {
        Effect.ARRIVAL: lazy_gettext("arrival"),
        Effect.DEPARTURE: lazy_gettext("departure"),
        Effect.DOUBLE: lazy_gettext("double tap"),
        Effect.READ: lazy_gettext("read"),
        Effect.REGISTERED: lazy_gettext("registered"),
        Effect.NO_TERM: lazy_gettext("no term on this day"),
        Effect.NONE: lazy_gettext("no effect"),
    },
    Refusal: {
        Refusal.UNKNOWN: lazy_gettext("unknown card"),
        Refusal.LOST: lazy_gettext("lost card"),
        Refusal.EXPIRED: lazy_gettext("expired card"),
        Refusal.RETURNED: lazy_gettext("a card that nobody has"),
        Refusal.BLACKLISTED: lazy_gettext("blocked card"),
        Refusal.NO_LIST: lazy_gettext("the reader had no card list"),
        Refusal.HELD: lazy_gettext("held at the gate"),
    },
    Rejection: {
        Rejection.MALFORMED: lazy_gettext("malformed"),
        Rejection.TOO_LARGE: lazy_gettext("too large"),
        Rejection.UNKNOWN_READER: lazy_gettext("unknown reader"),
        Rejection.RETAINED: lazy_gettext("retained by the broker"),
        Rejection.ID_REUSED: lazy_gettext("a tap's id was used twice"),
        Rejection.SEQ_REUSED: lazy_gettext("a tap's number was used twice"),
        Rejection.UNPROCESSABLE: lazy_gettext("could not be processed"),
    },
    ReaderState: {
        ReaderState.ONLINE: lazy_gettext("online"),
        ReaderState.OFFLINE: lazy_gettext("offline"),
    },
    SourceState: {
        SourceState.READY: lazy_gettext("ready"),
        SourceState.ABSENT: lazy_gettext("not connected"),
    },
    JobState: {
        JobState.QUEUED: lazy_gettext("waiting"),
        JobState.RUNNING: lazy_gettext("running"),
        JobState.DONE: lazy_gettext("done"),
        JobState.FAILED: lazy_gettext("failed"),
        JobState.CANCELLED: lazy_gettext("cancelled"),
    },
    Role: {
        Role.DISTRICT_ADMIN: lazy_gettext("district administrator"),
        Role.SCHOOL_ADMIN: lazy_gettext("school administrator"),
        Role.HOMEROOM_TEACHER: lazy_gettext("homeroom teacher"),
        Role.SUBJECT_TEACHER: lazy_gettext("subject teacher"),
        Role.LIBRARIAN: lazy_gettext("librarian"),
        Role.LAB_TEACHER: lazy_gettext("lab teacher"),
        Role.GATE_GUARD: lazy_gettext("gate guard"),
        Role.AUDITOR: lazy_gettext("auditor"),
    },
    Scope: {
        Scope.DISTRICT: lazy_gettext("the whole district"),
        Scope.SCHOOL: lazy_gettext("the whole school"),
        Scope.GRADE: lazy_gettext("a grade"),
        Scope.HOMEROOM: lazy_gettext("a homeroom"),
        Scope.LAB: lazy_gettext("a lab"),
        Scope.GATE: lazy_gettext("a gate"),
    },
    Sex: {
        Sex.MALE: lazy_gettext("male"),
        Sex.FEMALE: lazy_gettext("female"),
        Sex.UNKNOWN: lazy_gettext("not known"),
    },
    StudentStatus: {
        StudentStatus.ENROLLED: lazy_gettext("enrolled"),
        StudentStatus.SUSPENDED: lazy_gettext("suspended"),
        StudentStatus.TRANSFERRED: lazy_gettext("transferred"),
        StudentStatus.GRADUATED: lazy_gettext("graduated"),
    },
    **ATTENDANCE_WORDS,
    **MESSAGE_WORDS,
    LeaveState: {
        LeaveState.ASKED: lazy_gettext("waits for the homeroom teacher"),
        LeaveState.FIRST_APPROVED: lazy_gettext("waits for the school"),
        LeaveState.APPROVED: lazy_gettext("approved"),
        LeaveState.REFUSED: lazy_gettext("not approved"),
        LeaveState.WITHDRAWN: lazy_gettext("withdrawn"),
    },
    Language: {
        Language.CHINESE: lazy_gettext("Chinese"),
        Language.ENGLISH: lazy_gettext("English"),
    },
    Theme: {
        Theme.SYSTEM: lazy_gettext("as the system"),
        Theme.LIGHT: lazy_gettext("light"),
        Theme.DARK: lazy_gettext("dark"),
    },
    Purpose: {
        Purpose.GATE: lazy_gettext("gate"),
        Purpose.DESK: lazy_gettext("desk"),
        Purpose.ENROLMENT: lazy_gettext("registration"),
    },
    FaceField: {
        FaceField.LOGO: lazy_gettext("the school's logo"),
        FaceField.PHOTO: lazy_gettext("photo"),
        FaceField.NUMBER: lazy_gettext("student number"),
        FaceField.HOMEROOM: lazy_gettext("homeroom"),
        FaceField.QR: lazy_gettext("code of the student number (QR)"),
    },
    FaceOrientation: {
        FaceOrientation.LANDSCAPE: lazy_gettext("landscape"),
        FaceOrientation.PORTRAIT: lazy_gettext("portrait"),
    },
    CardState: {
        CardState.ACTIVE: lazy_gettext("in use"),
        CardState.LOST: lazy_gettext("lost"),
        CardState.EXPIRED: lazy_gettext("expired"),
        CardState.RETURNED: lazy_gettext("in stock"),
        CardState.BLACKLISTED: lazy_gettext("ended"),
        CardState.GONE: lazy_gettext("unknown"),
    },
    CardKind: {
        CardKind.PERMANENT: lazy_gettext("own card"),
        CardKind.TEMPORARY: lazy_gettext("temporary card"),
    },
    CardStep: {
        CardStep.STOCKED: lazy_gettext("taken into stock"),
        CardStep.ISSUED: lazy_gettext("given out"),
        CardStep.LENT: lazy_gettext("lent for a day"),
        CardStep.LOST: lazy_gettext("reported lost"),
        CardStep.FOUND: lazy_gettext("found again"),
        CardStep.REPLACED: lazy_gettext("replaced"),
        CardStep.RETURNED: lazy_gettext("taken back"),
        CardStep.EXPIRED: lazy_gettext("expired"),
        CardStep.BLACKLISTED: lazy_gettext("ended for good"),
    },
    DayKind: {
        DayKind.LESSONS: lazy_gettext("lessons"),
        DayKind.CLOSED: lazy_gettext("closed"),
        DayKind.EXAM: lazy_gettext("exams"),
    },
    DayPart: {
        DayPart.MORNING: lazy_gettext("morning"),
        DayPart.AFTERNOON: lazy_gettext("afternoon"),
        DayPart.EVENING: lazy_gettext("evening"),
    },
    ForWhom: {
        ForWhom.EVERYBODY: lazy_gettext("all students"),
        ForWhom.DAY_STUDENTS: lazy_gettext("day students"),
        ForWhom.BOARDERS: lazy_gettext("boarders"),
    },
    EntrySource: {
        EntrySource.STATE: lazy_gettext("the state's calendar"),
        EntrySource.STAFF: lazy_gettext("the school"),
    },
    ByteOrder: {
        ByteOrder.AS_SENT: lazy_gettext("as the card sends them"),
        ByteOrder.REVERSED: lazy_gettext("last byte first"),
    },
}


def word(choice: StrEnum | None) -> str:
    """What a stored choice is called; nothing for None."""
    return str(WORDS[type(choice)][choice]) if choice is not None else ""


def rejection_word(reason: str) -> str:
    """What a stored reason is called; a reason that is none of ours stands as it is."""
    return word(Rejection(reason)) if reason in list(Rejection) else reason
