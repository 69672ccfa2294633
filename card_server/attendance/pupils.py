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
    away: frozenset[date] = frozenset()
    """Days on which the student was not of the school as far as the register knows: nobody is
    absent who is not expected."""
    gone: frozenset[date] = frozenset()
    """Those of them that are beyond doubt: nothing is expected, whatever was judged before."""
    key: StudentKey = StudentKey(0, 0)
    """Which presence row is the student's."""

    def __post_init__(self) -> None:
        self.key = StudentKey(self.school.id, self.student_id)

    def expect(self, member: Membership) -> None:
        """Note on which of the days the student was not of the school."""
        zone = self.school.zone
        self.away = frozenset(day for day in self.days if not member.is_expected(day, zone))
        self.gone = frozenset(day for day in self.days if member.is_gone(day, zone))


def pupil_of(school: SchoolDays, member: Membership, stays: Stays, days: Collection[date]) -> Pupil:
    """A student with these days, each in its own homeroom."""
    id_, room = member.student_id, member.homeroom_id
    pupil = Pupil(school, id_, room, {day: room_on(stays, id_, day, room) for day in days})
    pupil.expect(member)
    return pupil


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
