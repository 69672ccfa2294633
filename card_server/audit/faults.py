"""What was done to a chain: its entries, one after the other, are judged and every fault is named.

Pure: no database. An entry whose own hash is wrong was edited, unless it fits the place of another
such entry: then the two were swapped. A number that is not there was removed, or truncated at the
end. An entry whose hash was made to fit again is given away by the entry after it, or by the head.
Who rewrites everything up to the head is given away by an anchor that was kept elsewhere alone.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from card_server.audit.chain import GENESIS, Link, hash_of

MOST_FAULTS = 20
"""Faults of one kind that are named; the others are counted."""
_MOST_SUSPECTS = 200
"""Entries that are compared with one another, each with each."""


class FaultKind(StrEnum):
    """What was done."""

    EDITED = "edited"
    REMOVED = "removed"
    SWAPPED = "swapped"
    TRUNCATED = "truncated"
    HEAD_CHANGED = "head changed"
    ANCHOR_LOST = "anchor does not fit"
    DETAIL_CHANGED = "detail changed"
    DETAIL_REMOVED = "detail removed"


class DetailState(StrEnum):
    """What became of the personal part of an entry."""

    KEPT = "kept"
    PLAIN = "plain"
    """Kept, but not sealed: whoever noted it had no key."""
    ERASED = "erased"
    LOST = "lost"
    """Gone, and no erasure was noted that accounts for it."""
    CHANGED = "changed"


class Entry(NamedTuple):
    """One entry as it was found."""

    link: Link
    hash: bytes
    detail: DetailState = DetailState.KEPT


class Anchor(NamedTuple):
    """The number and hash of an entry: the end of a chain, now or when it was written down."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


class Fault(NamedTuple):
    """From which entry to which; for a swap the two."""

    kind: FaultKind
    first: int
    last: int


@dataclass
class Report:
    """What was found in one chain."""

    entries: int = 0
    erased: int = 0
    """Details that were erased, as an entry after them says."""
    plain: int = 0
    end: Anchor | None = None
    """The last entry that is there: worth keeping elsewhere."""
    counts: dict[FaultKind, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    """The first MOST_FAULTS of each kind."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing was done to it."""
        return not self.counts

    def add(self, kind: FaultKind, first: int, last: int | None = None) -> None:
        """Count a fault, and name it while there are few."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= MOST_FAULTS:
            self.faults.append(Fault(kind, first, first if last is None else last))


class Examination:
    """Takes the entries of one chain by their numbers, in bounded memory, and then reports."""

    def __init__(self, head: Anchor | None, anchor: Anchor | None = None) -> None:
        self._head = head
        self._anchor = anchor
        self._report = Report()
        self._suspects: list[Entry] = []
        self._last = Anchor(0, GENESIS)
        self._last_is_right = True

    def take(self, entry: Entry) -> None:
        """Judge the next entry, which has a higher number than the one before."""
        link, seq = entry.link, entry.link.seq
        has_gap = seq > self._last.seq + 1
        if has_gap:
            self._report.add(FaultKind.REMOVED, self._last.seq + 1, seq - 1)
        is_right = hash_of(link) == entry.hash
        if not is_right:
            self._suspect(entry)
        elif not has_gap and self._last_is_right and link.previous != self._last.hash:
            self._report.add(FaultKind.EDITED, max(1, self._last.seq))
        self._judge_detail(entry)
        if self._anchor and self._anchor.seq == seq and self._anchor.hash != entry.hash:
            self._report.add(FaultKind.ANCHOR_LOST, seq)
        self._report.entries += 1
        self._last, self._last_is_right = Anchor(seq, entry.hash), is_right

    def finish(self) -> Report:
        """What was found, after the last entry."""
        self._tell_swaps_from_edits()
        self._judge_end()
        self._report.end = self._last if self._last.seq else None
        return self._report

    def _suspect(self, entry: Entry) -> None:
        if len(self._suspects) < _MOST_SUSPECTS:
            self._suspects.append(entry)
        else:
            self._report.add(FaultKind.EDITED, entry.link.seq)

    def _judge_detail(self, entry: Entry) -> None:
        if entry.detail is DetailState.CHANGED:
            self._report.add(FaultKind.DETAIL_CHANGED, entry.link.seq)
        elif entry.detail is DetailState.LOST:
            self._report.add(FaultKind.DETAIL_REMOVED, entry.link.seq)
        self._report.erased += entry.detail is DetailState.ERASED
        self._report.plain += entry.detail is DetailState.PLAIN

    def _tell_swaps_from_edits(self) -> None:
        swapped: set[tuple[int, int]] = set()
        for suspect in self._suspects:
            seq = suspect.link.seq
            place = next((one for one in self._suspects if _belongs(suspect, one)), None)
            if place is None:
                self._report.add(FaultKind.EDITED, seq)
            else:
                swapped.add((min(seq, place.link.seq), max(seq, place.link.seq)))
        for first, last in sorted(swapped):
            self._report.add(FaultKind.SWAPPED, first, last)

    def _judge_end(self) -> None:
        head, last, report = self._head, self._last, self._report
        if head is None and last.seq:
            report.add(FaultKind.HEAD_CHANGED, last.seq)
        elif head and head.seq > last.seq:
            report.add(FaultKind.TRUNCATED, last.seq + 1, head.seq)
        elif head and head.seq < last.seq:
            report.add(FaultKind.HEAD_CHANGED, head.seq, last.seq)
        elif head and head.hash != last.hash and self._last_is_right:
            report.add(FaultKind.EDITED, last.seq)
        anchor = self._anchor
        if anchor and anchor.seq > max(last.seq, head.seq if head else 0):
            report.add(FaultKind.TRUNCATED, last.seq + 1, anchor.seq)


def _belongs(moved: Entry, place: Entry) -> bool:
    """Whether an entry was made for another's place, and moved with its hash or without it."""
    if moved is place:
        return False
    there = moved.link._replace(seq=place.link.seq)
    return (
        hash_of(there) == moved.hash
        or hash_of(there._replace(previous=place.link.previous)) == place.hash
    )
