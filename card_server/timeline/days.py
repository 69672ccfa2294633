"""A student's judged days that were anything but present, on the timeline."""

from flask_babel import gettext, lazy_gettext
from sqlalchemy import Select, or_, select, union

from card_server.reports.kept_days import open_results
from card_server.school_time import day_of
from card_server.timeline.protocol import Asking, Moment, Source
from card_server.words.attendance import result_words
from schema.tables.attendance import Attendance, HomeroomDay, SessionStatus
from schema.tables.people import HomeroomStay, Student


def _read(asking: Asking) -> list[Moment]:
    """Each day is asked for by its key: an index by student would be written with every tap."""
    counted = (Attendance.late, Attendance.left_early, Attendance.absent, Attendance.on_leave)
    wanted = select(Attendance).where(
        Attendance.school_id == asking.school_id,
        Attendance.student_id == asking.student_id,
        Attendance.day.in_(_select_days(asking)),
        or_(*(number > 0 for number in counted)),
    )
    found = asking.session.scalars(wanted.order_by(Attendance.day.desc()).limit(asking.limit + 1))
    moments = [_moment(asking, one) for one in found]
    return [one for one in moments if not asking.before or one.at < asking.before]


def _select_days(asking: Asking) -> Select[tuple[object]]:
    """The days of the homerooms that the student was in, by their tables: days name nobody."""
    day, stay, student = HomeroomDay.__table__.c, HomeroomStay.__table__.c, Student.__table__.c
    rooms = union(
        select(stay.homeroom_id).where(stay.student_id == asking.student_id),
        select(student.homeroom_id).where(student.id == asking.student_id),
    )
    days = select(day.day).where(day.school_id == asking.school_id, day.homeroom_id.in_(rooms))
    if asking.before is not None:
        days = days.where(day.day <= day_of(asking.before, asking.zone))
    return days


def _moment(asking: Asking, kept: Attendance) -> Moment:
    counted = {
        SessionStatus.LATE: kept.late,
        SessionStatus.LEFT_EARLY: kept.left_early,
        SessionStatus.ABSENT: kept.absent,
        SessionStatus.ON_LEAVE: kept.on_leave,
    }
    said = [
        f"{gettext('session %(number)s', number=one.position)}: {result_words(one)}"
        for one in open_results(kept.sessions)
        if counted.get(one.status)
    ]
    words = tuple(status for status, sessions in counted.items() if sessions)
    key, at = kept.day.isoformat(), asking.begin_of(kept.day)
    return Moment(at, key, ", ".join(said), words, kept.absent > 0, is_day=True)


DAYS = Source("days", lazy_gettext("Attendance"), _read)
