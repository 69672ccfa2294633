"""What the columns of a table mean, by their headers: a proposal that a person may correct."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from integrations.roster.sheets.fields import (
    FALLBACKS,
    NAMES,
    REPEATED,
    REQUIRED,
    Field,
    Target,
    plain,
)

Mapped = tuple[Target | None, ...]
"""What each column means, in the table's order; None: it is not read."""


class Sureness(StrEnum):
    """How sure a proposal is."""

    SURE = "sure"
    """The header is a known name."""
    LIKELY = "likely"
    """The header is nearly a known name, or may mean it: a person should look."""
    UNKNOWN = "unknown"


class Proposal(Struct, frozen=True):
    """What one column probably means."""

    column: int
    """From 0."""
    header: str
    target: Target | None
    sureness: Sureness
    rival: int | None = None
    """The column that seems to mean the same and was preferred."""


def propose(header: Sequence[str], own: Mapping[str, Target] | None = None) -> list[Proposal]:
    """A proposal for each column.

    `own` has names that a profile or the school knows, as `plain` writes them; they come first.
    """
    known = own or {}
    proposals = [_propose_one(column, name, known) for column, name in enumerate(header)]
    return _fall_back(_settle_rivals(proposals))


def mapping_of(proposals: Sequence[Proposal]) -> Mapped:
    """The mapping that the proposals make."""
    return tuple(proposal.target for proposal in proposals)


def fingerprint(header: Sequence[str]) -> str:
    """What a mapping is remembered by: the same for all sheets with the same columns."""
    return hashlib.sha256("\x1f".join(plain(name) for name in header).encode()).hexdigest()


def missing(mapping: Mapped) -> list[Field]:
    """The fields without which there is no roster, and which no column means."""
    there = {target.field for target in mapping if target}
    return [field for field in REQUIRED if field not in there]


def twice(mapping: Mapped) -> list[int]:
    """The columns that mean what a column before them means already, where only one may."""
    seen: set[Target] = set()
    found = []
    for column, target in enumerate(mapping):
        if target is None or target.field in REPEATED:
            continue
        if target in seen:
            found.append(column)
        seen.add(target)
    return found


def count_known(header: Sequence[str]) -> int:
    """How many columns have a known name and mean something of their own; finds the header row."""
    targets = {NAMES.get(plain(name)) or FALLBACKS.get(plain(name)) for name in header if name}
    others = {plain(name) for name in header if _is_left_out(plain(name))}
    return len(targets - {None, Target(Field.LEFT_OUT)}) + len(others)


def _is_left_out(name: str) -> bool:
    return NAMES.get(name) == Target(Field.LEFT_OUT)


def _propose_one(column: int, header: str, own: Mapping[str, Target]) -> Proposal:
    name = plain(header)
    target = own.get(name) or NAMES.get(name)
    if target is not None:
        return Proposal(column, header, target, Sureness.SURE)
    bare = plain(re.sub(r"[（(\[【].*?[)）\]】]", "", header))
    target = None if name in FALLBACKS else NAMES.get(bare) or _nearest(name)
    sureness = Sureness.LIKELY if target else Sureness.UNKNOWN
    return Proposal(column, header, target, sureness)


def _settle_rivals(proposals: list[Proposal]) -> list[Proposal]:
    """Each meaning is given once: to the surest column, and of these to the first."""
    order = sorted(proposals, key=lambda one: (one.sureness is not Sureness.SURE, one.column))
    given: dict[Target, int] = {}
    settled = {}
    for one in order:
        if one.target is None or one.target.field in REPEATED:
            settled[one.column] = one
        elif one.target in given:
            settled[one.column] = Proposal(
                one.column, one.header, None, Sureness.UNKNOWN, given[one.target]
            )
        else:
            given[one.target] = one.column
            settled[one.column] = one
    return [settled[column] for column in range(len(proposals))]


def _fall_back(proposals: list[Proposal]) -> list[Proposal]:
    """Give a field that nothing means to the column that may mean it."""
    given = {one.target for one in proposals}
    result = []
    for one in proposals:
        target = FALLBACKS.get(plain(one.header))
        if target is None or one.target is not None:
            result.append(one)
        elif target in given:
            known = Target(Field.LEFT_OUT)
            result.append(Proposal(one.column, one.header, known, Sureness.SURE))
        else:
            given.add(target)
            result.append(Proposal(one.column, one.header, target, Sureness.LIKELY))
    return result


_SHORTEST: Final = 3
"""Of two characters, one that is wrong leaves nothing to go by: 班号 and 学号."""


@lru_cache(maxsize=1024)
def _nearest(name: str) -> Target | None:
    """The one meaning whose name is nearest, if it is near enough and no other is as near."""
    if len(name) < _SHORTEST:
        return None
    most = 2 if len(name) >= 8 else 1
    letters = Counter(name)
    digits = _digits(name)
    found: dict[int, set[Target]] = {}
    for known, target in NAMES.items():
        if abs(len(known) - len(name)) > most or len(known) < _SHORTEST:
            continue
        if (letters - Counter(known)).total() > most or _digits(known) != digits:
            continue
        distance = edit_distance(name, known)
        if distance <= most:
            found.setdefault(distance, set()).add(target)
    nearest = found[min(found)] if found else set()
    return next(iter(nearest)) if len(nearest) == 1 else None


def _digits(name: str) -> str:
    """成员1 is never a slip of the pen for 成员2."""
    return "".join(character for character in name if character in "0123456789一二三四五六父母")


def edit_distance(one: str, other: str) -> int:
    """How many characters were left out, put in, changed, or swapped with the next."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        row = [i]
        for j, right in enumerate(other, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
