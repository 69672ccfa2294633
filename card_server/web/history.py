"""The last changes of what a settings page is about, in words."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask_babel import LazyString, lazy_gettext
from sqlalchemy.orm import Session

from card_server.calendar.hours import write_minute
from card_server.reports.history import Change, Value, read_history
from card_server.web.grant_choices import Places, label_written
from card_server.words.audit import action_word, actor_word, subject_word
from card_server.words.choices import word
from card_server.words.grades import grade_words
from card_server.words.webhooks import webhook_word
from schema.tables.calendar import DayKind, EntrySource
from schema.tables.readers import ByteOrder, Direction, Purpose
from schema.tables.webhooks import EventKind

_FIELDS: dict[str, LazyString] = {
    "absent_tenths": lazy_gettext("Points for an absence (tenths)"),
    "body": lazy_gettext("Text"),
    "boarders_by": lazy_gettext("Boarders are back by"),
    "boarders_weekday": lazy_gettext("Boarders are back on"),
    "byte_order": lazy_gettext("Order of a number's bytes"),
    "campus_id": lazy_gettext("Campus"),
    "cards_per_student": lazy_gettext("Cards a student may have"),
    "closes": lazy_gettext("The school closes at"),
    "code": lazy_gettext("Code"),
    "code_aliyun": lazy_gettext("Code at Aliyun"),
    "code_tencent": lazy_gettext("Code at Tencent Cloud"),
    "currency": lazy_gettext("Currency"),
    "day": lazy_gettext("Day"),
    "direction": lazy_gettext("Direction"),
    "double_tap_s": lazy_gettext("Double tap within (seconds)"),
    "early_tenths": lazy_gettext("Points for leaving early (tenths)"),
    "ends_on": lazy_gettext("Last day"),
    "grade": lazy_gettext("Grade"),
    "grades": lazy_gettext("Grades"),
    "grants": lazy_gettext("Roles"),
    "holds_exits": lazy_gettext("The gate holds exits"),
    "homerooms": lazy_gettext("Homerooms"),
    "hours_1": lazy_gettext("Monday"),
    "hours_2": lazy_gettext("Tuesday"),
    "hours_3": lazy_gettext("Wednesday"),
    "hours_4": lazy_gettext("Thursday"),
    "hours_5": lazy_gettext("Friday"),
    "hours_6": lazy_gettext("Saturday"),
    "hours_7": lazy_gettext("Sunday"),
    "is_special": lazy_gettext("Special"),
    "kind": lazy_gettext("The day is"),
    "kinds": lazy_gettext("Is told of"),
    "late_after": lazy_gettext("Late after"),
    "late_tenths": lazy_gettext("Points for each late arrival (tenths)"),
    "leave_days": lazy_gettext("Leave over so many days needs the school"),
    "login": lazy_gettext("Login"),
    "logo": lazy_gettext("Logo"),
    "money_per_day": lazy_gettext("Money of the whole school"),
    "name": lazy_gettext("Name"),
    "note": lazy_gettext("What it is called"),
    "parts": lazy_gettext("Which parts take place"),
    "per_number": lazy_gettext("Messages to one number"),
    "per_number_and_kind": lazy_gettext("Messages of one kind to one number"),
    "per_school": lazy_gettext("Messages of the whole school"),
    "per_student": lazy_gettext("Messages about one student"),
    "phone_countries": lazy_gettext("Countries and regions of phones"),
    "place": lazy_gettext("Place"),
    "price_per_segment": lazy_gettext("Price of one SMS"),
    "purpose": lazy_gettext("Purpose"),
    "quiet_from": lazy_gettext("Quiet hours from"),
    "quiet_until": lazy_gettext("Quiet hours until"),
    "school_year": lazy_gettext("School year"),
    "signature": lazy_gettext("Signature"),
    "source": lazy_gettext("By whom"),
    "stale_minutes": lazy_gettext("Too late to tell after (minutes)"),
    "starts_on": lazy_gettext("First day"),
    "timetable_id": lazy_gettext("Timetable"),
    "url": lazy_gettext("Address"),
    "weekday": lazy_gettext("Whose timetable applies"),
    "zone": lazy_gettext("Time zone"),
}
_CHOICES: dict[str, type[StrEnum]] = {
    "byte_order": ByteOrder,
    "kind": DayKind,
    "source": EntrySource,
    "direction": Direction,
    "purpose": Purpose,
}


@dataclass(frozen=True)
class ShownValue:
    """One value of a change."""

    label: str
    before: str | None
    after: str


@dataclass(frozen=True)
class ShownChange:
    """One line of the history."""

    at: datetime
    who: str
    what: str
    about: str
    values: tuple[ShownValue, ...]


def show_history(
    session: Session, school_id: int, subjects: Collection[str], places: Places | None = None
) -> list[ShownChange]:
    """The newest changes of these subjects, newest first; `places` names what roles reach."""
    return [_show(one, places) for one in read_history(session, school_id, subjects)]


def _show(change: Change, places: Places | None) -> ShownChange:
    return ShownChange(
        change.at,
        actor_word(change.actor, change.who),
        action_word(change.action),
        subject_word(change.subject),
        tuple(_show_value(one, places) for one in change.values),
    )


def _show_value(value: Value, places: Places | None) -> ShownValue:
    label = str(_FIELDS.get(value.field, value.field))
    before, after = (_in_words(value.field, one, places) for one in (value.before, value.after))
    return ShownValue(label, before, after or "–")


def _in_words(field: str, text: str | None, places: Places | None) -> str | None:
    """A stored choice as pages call it; what is none of today's stands as it was noted."""
    if text is None:
        return None
    if field == "grants" and places is not None:
        return "、".join(label_written(one, places) for one in text.split(", "))
    if write := _WRITERS.get(field):
        return write(text)
    choices = _CHOICES.get(field)
    return word(choices(text)) if choices and text in list(choices) else text


def _written_minute(text: str) -> str:
    return write_minute(int(text)) if text.isdecimal() else text


def _written_grades(text: str) -> str:
    grades = text.split()
    return grade_words(map(int, grades)) if all(map(str.isdecimal, grades)) else text


def _written_kinds(text: str) -> str:
    return " · ".join(map(_kind_word, text.split()))


def _kind_word(kind: str) -> str:
    """A kind of event as pages call it; one that this release does not know stands as it is."""
    return webhook_word(EventKind(kind)) if kind in list(EventKind) else kind


_WRITERS: dict[str, Callable[[str], str]] = {
    "boarders_by": _written_minute,
    "closes": _written_minute,
    "grade": _written_grades,
    "grades": _written_grades,
    "kinds": _written_kinds,
}
