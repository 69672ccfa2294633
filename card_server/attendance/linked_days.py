"""Days that have to be judged together with others, for what became of one changes the other.

- A boarder's night leads into the next day: all later days on record follow.
- A day student is out when the day is over. Who came in after the hour of closing, or while the
  clock stood still, is inside until somebody judges that evening (closing.py). A newer passage
  moves the student on, and nobody would look for the evening any more: it is judged with it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy.orm import Session

from card_server.attendance.loading import Known, by_span, days_on_record
from card_server.attendance.pupils import Pupil
from card_server.attendance.rows import DayKey, StudentKey, Whereabouts
from card_server.school_time import bounds_of, day_of


def open_evenings(
    pupils: Iterable[Pupil], places: Mapping[StudentKey, Whereabouts], known: Known
) -> dict[DayKey, Pupil]:
    """The evenings that nobody closed upon a day student, of whom a newer day is to be judged."""
    evenings: dict[DayKey, Pupil] = {}
    for pupil in pupils:
        where, zone = places[pupil.key], pupil.school.zone
        if not where.is_inside or where.since_at >= bounds_of(max(pupil.days), zone)[0]:
            continue
        day = day_of(where.since_at, zone)
        if day not in pupil.days and not known.boards(pupil.student_id, day):
            evenings[DayKey(pupil.school.id, day, pupil.student_id)] = pupil
    return evenings


def add_days_after(
    session: Session, pupils: Iterable[Pupil], known: Known, as_of: datetime
) -> list[Pupil]:
    """Give boarders their later days on record; those who have any are returned."""
    longer = []
    for span, group in by_span(pupils).items():
        boarders = [one.key for one in group if one.student_id in known.boarding]
        later = days_on_record(session, boarders, span.first, day_of(as_of, span.zone))
        for pupil in group:
            days: Mapping[date, int] = later.get(pupil.student_id, {})
            added = days.keys() - pupil.days.keys()
            if added:
                pupil.days |= {day: days[day] for day in added}
                longer.append(pupil)
    return longer
