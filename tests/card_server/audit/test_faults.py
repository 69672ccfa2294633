"""What was done to a chain is found and named, wherever it was done; a whole one is not accused."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from card_server.audit.chain import GENESIS, Link, hash_of
from card_server.audit.faults import (
    MOST_FAULTS,
    Anchor,
    DetailState,
    Entry,
    Examination,
    Fault,
    FaultKind,
    Report,
)

_NOON = datetime(2026, 9, 1, 4, tzinfo=UTC)


def make_chain(length: int, seed: int = 0) -> list[Entry]:
    """Entries as the log writes them, with random contents."""
    chance, previous, entries = random.Random(seed), GENESIS, []
    for seq in range(1, length + 1):
        link = Link(
            1,
            seq,
            _NOON + timedelta(seconds=seq // 3),
            chance.choice(["staff", "token", "system"]),
            chance.choice([None, 1, 12]),
            chance.choice(["staff.log_in", "student.seen"]),
            chance.choice(["staff:1", "student:12"]),
            chance.randbytes(32),
            previous,
        )
        previous = hash_of(link)
        entries.append(Entry(link, previous))
    return entries


def head_of(entries: list[Entry]) -> Anchor | None:
    return Anchor(entries[-1].link.seq, entries[-1].hash) if entries else None


def judge(entries: list[Entry], head: Anchor | None, anchor: Anchor | None = None) -> Report:
    examination = Examination(head, anchor)
    for entry in entries:
        examination.take(entry)
    return examination.finish()


def change(entry: Entry, made_to_fit: bool) -> Entry:
    link = entry.link._replace(action="staff.log_out")
    return Entry(link, hash_of(link) if made_to_fit else entry.hash)


lengths = st.integers(1, 30)
seeds = st.integers(0, 999)


@given(st.integers(0, 30), seeds, st.data())
def test_a_whole_chain_is_never_accused(length: int, seed: int, data: st.DataObject) -> None:
    entries = make_chain(length, seed)
    kept = data.draw(st.sampled_from(entries)) if entries else None
    anchor = Anchor(kept.link.seq, kept.hash) if kept else None
    report = judge(entries, head_of(entries), anchor)
    assert report.is_whole
    assert (report.entries, report.end) == (length, head_of(entries))


@given(lengths, seeds, st.booleans(), st.data())
def test_an_edited_entry_is_named(
    length: int, seed: int, made_to_fit: bool, data: st.DataObject
) -> None:
    entries = make_chain(length, seed)
    head = head_of(entries)
    place = data.draw(st.integers(0, length - 1))
    entries[place] = change(entries[place], made_to_fit)
    report = judge(entries, head)
    assert report.faults == [Fault(FaultKind.EDITED, place + 1, place + 1)]


@given(lengths, seeds, st.data())
def test_removed_entries_are_named(length: int, seed: int, data: st.DataObject) -> None:
    entries = make_chain(length + 1, seed)
    head = head_of(entries)
    first = data.draw(st.integers(0, length - 1))
    last = data.draw(st.integers(first, length - 1))
    del entries[first : last + 1]
    assert judge(entries, head).faults == [Fault(FaultKind.REMOVED, first + 1, last + 1)]


@given(lengths, seeds, st.data())
def test_a_truncated_chain_is_named_by_its_head(
    length: int, seed: int, data: st.DataObject
) -> None:
    entries = make_chain(length, seed)
    head = head_of(entries)
    left = data.draw(st.integers(0, length - 1))
    del entries[left:]
    assert judge(entries, head).faults == [Fault(FaultKind.TRUNCATED, left + 1, length)]


@given(lengths, seeds, st.data())
def test_a_chain_that_was_truncated_with_its_head_is_named_by_an_anchor(
    length: int, seed: int, data: st.DataObject
) -> None:
    entries = make_chain(length, seed)
    anchor = head_of(entries)
    left = data.draw(st.integers(0, length - 1))
    del entries[left:]
    assert judge(entries, head_of(entries)).is_whole
    faults = judge(entries, head_of(entries), anchor).faults
    assert faults == [Fault(FaultKind.TRUNCATED, left + 1, length)]


@pytest.mark.parametrize("keeps_links", [False, True], ids=["rows", "contents"])
@given(lengths, seeds, st.data())
@settings(max_examples=60)
def test_swapped_entries_are_named(
    keeps_links: bool, length: int, seed: int, data: st.DataObject
) -> None:
    entries = make_chain(length + 1, seed)
    head = head_of(entries)
    one = data.draw(st.integers(0, length - 1))
    other = data.draw(st.integers(one + 1, length))
    swap = _swap_contents if keeps_links else _swap_rows
    entries[one], entries[other] = swap(entries[one], entries[other])
    faults = judge(entries, head).faults
    assert faults == [Fault(FaultKind.SWAPPED, one + 1, other + 1)]


def _swap_rows(one: Entry, other: Entry) -> tuple[Entry, Entry]:
    """Only the numbers are exchanged."""
    return (
        other._replace(link=other.link._replace(seq=one.link.seq)),
        one._replace(link=one.link._replace(seq=other.link.seq)),
    )


def _swap_contents(one: Entry, other: Entry) -> tuple[Entry, Entry]:
    """All but number, link and hash is exchanged."""

    def put(content: Link, place: Entry) -> Entry:
        link = content._replace(seq=place.link.seq, previous=place.link.previous)
        return place._replace(link=link)

    return put(other.link, one), put(one.link, other)


@given(lengths, seeds, st.data())
def test_a_chain_that_was_rewritten_with_its_head_is_named_by_an_anchor(
    length: int, seed: int, data: st.DataObject
) -> None:
    entries = make_chain(length, seed)
    anchor = head_of(entries)
    place = data.draw(st.integers(0, length - 1))
    previous = entries[place].link.previous
    for at in range(place, length):
        action = "staff.log_out" if at == place else entries[at].link.action
        link = entries[at].link._replace(action=action, previous=previous)
        previous = hash_of(link)
        entries[at] = Entry(link, previous)
    assert judge(entries, head_of(entries)).is_whole
    faults = judge(entries, head_of(entries), anchor).faults
    assert faults == [Fault(FaultKind.ANCHOR_LOST, length, length)]


@pytest.mark.parametrize(
    ("make_head", "kind"),
    [
        (lambda _: None, FaultKind.HEAD_CHANGED),
        (lambda entries: head_of(entries[:-1]), FaultKind.HEAD_CHANGED),
        (lambda entries: Anchor(len(entries), bytes(32)), FaultKind.EDITED),
    ],
    ids=["gone", "set back", "other hash"],
)
def test_a_changed_head_is_named(
    make_head: Callable[[list[Entry]], Anchor | None], kind: FaultKind
) -> None:
    entries = make_chain(5)
    assert [fault.kind for fault in judge(entries, make_head(entries)).faults] == [kind]


def test_an_anchor_in_a_gap_is_not_a_second_fault() -> None:
    entries = make_chain(5)
    head, anchor = head_of(entries), Anchor(3, entries[2].hash)
    del entries[2]
    assert judge(entries, head, anchor).faults == [Fault(FaultKind.REMOVED, 3, 3)]


def test_details_are_judged_and_counted() -> None:
    entries = make_chain(5)
    states = [
        DetailState.CHANGED,
        DetailState.LOST,
        DetailState.ERASED,
        DetailState.PLAIN,
        DetailState.KEPT,
    ]
    judged = [entry._replace(detail=state) for entry, state in zip(entries, states, strict=True)]
    report = judge(judged, head_of(entries))
    assert report.faults == [
        Fault(FaultKind.DETAIL_CHANGED, 1, 1),
        Fault(FaultKind.DETAIL_REMOVED, 2, 2),
    ]
    assert (report.erased, report.plain) == (1, 1)


def test_many_faults_are_counted_and_the_first_named() -> None:
    entries = [change(entry, made_to_fit=False) for entry in make_chain(300)]
    report = judge(entries, None)
    assert report.counts[FaultKind.EDITED] == 300
    named = [fault for fault in report.faults if fault.kind is FaultKind.EDITED]
    assert len(named) == MOST_FAULTS


def test_two_different_deeds_are_both_named() -> None:
    entries = make_chain(9)
    head = head_of(entries)
    entries[1] = change(entries[1], made_to_fit=False)
    del entries[5]
    kinds = {fault.kind: fault.first for fault in judge(entries, head).faults}
    assert kinds == {FaultKind.EDITED: 2, FaultKind.REMOVED: 6}
