"""What promotion to the next school year (升级) would do: proposed, corrected, and told in full.

Nothing is read or written here: facts in, plan out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from card_server.field_errors import clean
from card_server.field_errors import marked as _
from card_server.people.promotion_names import next_name
from card_server.seen import fingerprint
from schema.tables.school import Term

_LAST_OF_A_SCHOOL = (9, 12)
"""After these grades pupils sit an examination for the next school."""
_BEFORE_TERM = timedelta(days=92)
_EARLIEST_MONTH = 6
_LONGEST_NAME = 40


@dataclass(frozen=True)
class RoomFacts:
    """A homeroom of the year that ends, and whom the change concerns."""

    id: int
    name: str
    grade: int
    campus_id: int | None
    students: tuple[int, ...]
    """Who is enrolled."""
    teachers: tuple[str, ...]
    """Whose role is for this homeroom alone."""


@dataclass(frozen=True)
class LeftBehind:
    """A suspended student: no homeroom of the next year until staff choose one."""

    id: int
    name: str
    number: str
    homeroom: str


@dataclass(frozen=True)
class PromotionFacts:
    """The school before the change."""

    from_year: int
    rooms: tuple[RoomFacts, ...]
    left_behind: tuple[LeftBehind, ...]
    next_rooms: Mapping[str, int]
    """Homerooms that the next year has already, by name."""
    terms: Sequence[Term] = ()

    @property
    def to_year(self) -> int:
        return self.from_year + 1

    @property
    def earliest(self) -> date:
        """Before this day the change would be a mistake: three months before the year begins."""
        begins = [one.starts_on for one in self.terms if one.school_year == self.to_year]
        return min(begins) - _BEFORE_TERM if begins else date(self.to_year, _EARLIEST_MONTH, 1)


@dataclass(frozen=True)
class Choice:
    """What is to become of one homeroom."""

    graduates: bool
    new_name: str


@dataclass(frozen=True)
class Step:
    """One homeroom's part of the plan."""

    room: RoomFacts
    choice: Choice
    new_grade: int | None
    """None: its students graduate."""
    joins: int | None
    """The homeroom of the next year that is there already, where one has this name."""


@dataclass(frozen=True)
class PromotionPlan:
    """All that would happen; nothing can be done while there are problems."""

    facts: PromotionFacts
    steps: tuple[Step, ...]
    problems: dict[str, str]
    """By field: `name-12` for the new name of homeroom 12; "" for the whole."""

    @property
    def seen(self) -> str:
        """The fingerprint of all that a preview shows: the school, and what is chosen for it."""
        facts = self.facts
        rooms = [(one.id, one.name, one.grade, one.students, one.teachers) for one in facts.rooms]
        left = [one.id for one in facts.left_behind]
        steps = [(one.new_grade, one.new_grade and one.choice.new_name) for one in self.steps]
        return fingerprint({"year": facts.from_year, "rooms": rooms, "left": left, "steps": steps})

    @property
    def promoted(self) -> int:
        return sum(len(one.room.students) for one in self.steps if not one.choice.graduates)

    @property
    def graduated(self) -> int:
        return sum(len(one.room.students) for one in self.steps if one.choice.graduates)


def propose(facts: PromotionFacts) -> dict[int, Choice]:
    """For each homeroom what is usual: up a grade with the name carried on, or graduation.

    The highest grade graduates, and grades 9 and 12 always.
    """
    highest = max((one.grade for one in facts.rooms), default=0)
    return {
        one.id: Choice(
            one.grade == highest or one.grade in _LAST_OF_A_SCHOOL,
            next_name(one.name, one.grade),
        )
        for one in facts.rooms
    }


def make_plan(facts: PromotionFacts, choices: Mapping[int, Choice], today: date) -> PromotionPlan:
    """The plan for these choices; what is left out is as proposed."""
    chosen = propose(facts) | {key: choices[key] for key in choices}
    steps = tuple(_step(facts, one, chosen[one.id]) for one in facts.rooms)
    problems = _problems(facts, steps)
    if not facts.rooms:
        problems[""] = _("There are no homerooms that could be promoted.")
    elif today < facts.earliest:
        problems[""] = _("It is too early: this school year has hardly begun.")
    return PromotionPlan(facts, steps, problems)


def _step(facts: PromotionFacts, room: RoomFacts, choice: Choice) -> Step:
    if choice.graduates:
        return Step(room, choice, None, None)
    name = clean(choice.new_name)
    tidy = Choice(False, name)
    return Step(room, tidy, min(room.grade + 1, 12), facts.next_rooms.get(name))


def _problems(facts: PromotionFacts, steps: Sequence[Step]) -> dict[str, str]:
    found: dict[str, str] = {}
    taken: dict[str, int] = {}
    for one in steps:
        if one.choice.graduates:
            continue
        field, name = f"name-{one.room.id}", one.choice.new_name
        if not name:
            found[field] = _("This must not be empty.")
        elif len(name) > _LONGEST_NAME:
            found[field] = _("This may have 40 characters at most.")
        elif name in taken:
            found[field] = _("Two homerooms cannot have the same name.")
        elif one.room.grade >= 12:
            found[field] = _("There is no grade above 12: these students graduate.")
        taken.setdefault(name, one.room.id)
    return found
