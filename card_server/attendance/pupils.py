"""Students whose days are to be judged, and of which homerooms' days those are."""

from collections.abc import Collection, Iterable
from datetime import date

from msgspec import Struct, field

from card_server.attendance.facts import Passing
from card_server.attendance.homerooms import Stays, room_on
from card_server.attendance.members import Membership
from card_server.attendance.plans import PlanKey, SchoolDays, Schools
from card_server.attendance.rows import NEVER, DayKey, StudentKey, Whereabouts


class Pupil(Struct, gc=False):
    """A student whose days are to be judged."""

    school: SchoolDays
    student_id: int
    homeroom_id: int
    """The homeroom of today."""
    days: dict[date, int]
    """Each day, and the homeroom of that day."""
    fresh: list[Passing] = field(default_factory=list)
    """Passages that are not on record yet."""
    member: Membership | None = None
    """What the register says of the student; None: of the school on all of the days."""
    doubted: frozenset[date] = frozenset()
    """Days of which the row alone tells whether anything was expected."""
    key: StudentKey = StudentKey(0, 0)
    """Which presence row is the student's."""

    def __post_init__(self) -> None:
        self.key = StudentKey(self.school.id, self.student_id)

    def is_away(self, day: date) -> bool:
        """Whether the student was not of the school then as far as the register knows.

        Nobody is absent who is not expected.
        """
        if self.member is None:
            return day in self.doubted
        return day in self.doubted or not self.member.is_expected(day, self.school.zone)

    def is_gone(self, day: date) -> bool:
        """Whether that is beyond doubt: nothing is expected, whatever was judged before."""
        return self.member is not None and self.member.is_gone(day, self.school.zone)


def pupil_of(school: SchoolDays, member: Membership, stays: Stays, days: Collection[date]) -> Pupil:
    """A student with these days, each in its own homeroom."""
    id_, room = member.student_id, member.homeroom_id
    rooms = {day: room_on(stays, id_, day, room) for day in days}
    return Pupil(school, id_, room, rooms, member=member)


def never_seen(pupil: Pupil) -> Whereabouts:
    """The presence row of a student of whom there was none."""
    return Whereabouts(pupil.school.id, pupil.student_id, pupil.homeroom_id, False, NEVER, 0)


def schools_of(pupils: Iterable[Pupil]) -> Schools:
    """The schools of some students, by id."""
    return {pupil.school.id: pupil.school for pupil in pupils}


def students_of(pupils: Iterable[Pupil]) -> list[StudentKey]:
    """Which presence rows are theirs."""
    return [pupil.key for pupil in pupils]


def days_of(pupils: Iterable[Pupil]) -> list[DayKey]:
    """Which attendance rows their days are."""
    return [
        DayKey(pupil.school.id, day, pupil.student_id) for pupil in pupils for day in pupil.days
    ]


def keys_of(pupils: Iterable[Pupil]) -> set[PlanKey]:
    """The homerooms' days of some students."""
    return {
        PlanKey(pupil.school.id, day, room) for pupil in pupils for day, room in pupil.days.items()
    }
