"""Which homerooms of the roster the school has already, in whatever writing, and which are new."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from card_server.imports.roster.kinds import Kind, make
from card_server.imports.roster.plan import Change, HomeroomPlan
from card_server.imports.roster.present import Present, PresentHomeroom
from integrations.roster.protocol import Finding, HomeroomEntry, Roster

_NUMBERED = re.compile(r"(\d{1,2})\D*$")
_GRADE_WORDS = re.compile(
    r"[\s()\[\]【】〔〕第班\-_.\d]+|年级|[级届]|小学|初中|高中|[小初高]?[一二三四五六七八九](?!班)|grade|class"
)
_LONGEST_CAMPUS = 40
_Loose = tuple[int, str, str]


def plan_homerooms(
    roster: Roster, present: Present
) -> tuple[tuple[HomeroomPlan, ...], list[Finding]]:
    """What becomes of each homeroom of the roster, those that only its students name too."""
    rooms = _Rooms(present)
    loose = Counter(_loose(one.grade, one.name) for one in roster.homerooms)
    plans = [
        rooms.plan(one, is_alone=loose[_loose(one.grade, one.name)] == 1)
        for one in roster.homerooms
    ]
    named = {plan.key for plan in plans}
    findings = _find_taken(plans, present)
    for entry in roster.students:
        if entry.homeroom in named:
            continue
        known = rooms.by_name.get(entry.homeroom)
        if known is None:
            findings.append(
                make(Kind.HOMEROOM_UNKNOWN, entry.file, entry.line, "homeroom", entry.homeroom)
            )
            continue
        named.add(entry.homeroom)
        plans.append(
            HomeroomPlan(
                entry.homeroom, known.id, known.name, known.grade, known.campus, known.sourced_id
            )
        )
    return tuple(plans), findings


class _Rooms:
    """The school's homerooms by each way of finding them; each is given once."""

    def __init__(self, present: Present) -> None:
        self.by_name = {one.name: one for one in present.homerooms}
        self._by_source = {one.sourced_id: one for one in present.homerooms if one.sourced_id}
        counted = Counter(_loose(one.grade, one.name) for one in present.homerooms)
        self._by_number = {
            key: one
            for one in present.homerooms
            if counted[key := _loose(one.grade, one.name)] == 1
        }

    def plan(self, entry: HomeroomEntry, *, is_alone: bool) -> HomeroomPlan:
        """The plan for one; a homeroom that is only written otherwise keeps the school's name."""
        by_source = self._by_source.get(entry.sourced_id) if entry.sourced_id else None
        exact = by_source or self.by_name.get(entry.name)
        found = exact or (
            self._by_number.get(_loose(entry.grade, entry.name)) if is_alone else None
        )
        if found is None:
            return HomeroomPlan(
                entry.name, None, entry.name, entry.grade, _campus(entry), entry.sourced_id
            )
        name = entry.name if by_source else found.name
        campus = _campus(entry) or found.campus
        return HomeroomPlan(
            entry.name,
            found.id,
            name,
            entry.grade,
            campus,
            entry.sourced_id or found.sourced_id,
            tuple(_changes(found, name, entry.grade, campus)),
            is_linked=entry.sourced_id not in (None, found.sourced_id),
        )


def _campus(entry: HomeroomEntry) -> str | None:
    return entry.campus[:_LONGEST_CAMPUS] if entry.campus else None


def _changes(found: PresentHomeroom, name: str, grade: int, campus: str | None) -> list[Change]:
    pairs = (
        ("name", found.name, name),
        ("grade", str(found.grade), str(grade)),
        ("campus", found.campus or "", campus or ""),
    )
    return [Change(field, before, after) for field, before, after in pairs if before != after]


def _find_taken(plans: Sequence[HomeroomPlan], present: Present) -> list[Finding]:
    """Names that two homerooms would have afterwards, and two of the roster that are one here."""
    findings = []
    names = {one.name: one.id for one in present.homerooms}
    renamed = {plan.id for plan in plans if plan.changes}
    seen_ids: set[int] = set()
    seen_names: set[str] = set()
    for plan in plans:
        holder = names.get(plan.name)
        is_held = holder is not None and holder != plan.id and holder not in renamed
        is_twice = plan.name in seen_names or (plan.id is not None and plan.id in seen_ids)
        if is_held or is_twice:
            findings.append(make(Kind.HOMEROOM_TAKEN, "", None, "homeroom", plan.key, plan.name))
        seen_names.add(plan.name)
        if plan.id is not None:
            seen_ids.add(plan.id)
    return findings


def _loose(grade: int, name: str) -> _Loose:
    """初一(2)班, 初一2班 and 七年级(2)班 are one; 七年级实验2班 is another."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    found = _NUMBERED.search(plain)
    return grade, str(int(found[1])) if found else "", _GRADE_WORDS.sub("", plain)
