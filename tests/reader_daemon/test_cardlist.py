"""The card list: what each card gets, and that any way of delivery ends in the same list."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reader_daemon.cardlist import CardList, Held, Judgement, changed, judge
from schema.messages import (
    CardsChange,
    CardsSnapshot,
    CardState,
    Decision,
    ListedCard,
    Refusal,
)

AT = datetime(2026, 9, 1, tzinfo=UTC)
UIDS = [f"04A1B2C3D4E5{number:02X}" for number in range(8)]
CARDS = st.builds(ListedCard, st.sampled_from(UIDS), st.sampled_from(list(CardState)))


@pytest.mark.parametrize(
    ("state", "decision", "reason"),
    [
        (CardState.ACTIVE, Decision.ADMITTED, None),
        (CardState.LOST, Decision.REFUSED, Refusal.LOST),
        (CardState.EXPIRED, Decision.REFUSED, Refusal.EXPIRED),
        (CardState.RETURNED, Decision.REFUSED, Refusal.RETURNED),
        (CardState.BLACKLISTED, Decision.REFUSED, Refusal.BLACKLISTED),
    ],
)
def test_each_state_has_its_answer(
    state: CardState, decision: Decision, reason: Refusal | None
) -> None:
    assert judge(Held(5, AT, {UIDS[0]: state}), UIDS[0]) == Judgement(decision, reason, 5)


def test_a_card_that_is_not_listed_is_unknown() -> None:
    assert judge(Held(5, AT, {}), UIDS[0]) == Judgement(Decision.REFUSED, Refusal.UNKNOWN, 5)


def test_without_any_list_every_card_is_refused_for_that() -> None:
    assert judge(Held(), UIDS[0]) == Judgement(Decision.REFUSED, Refusal.NO_LIST, 0)


@given(changes=st.lists(CARDS, max_size=30), data=st.data())
def test_any_grouping_and_repetition_of_changes_gives_the_same_list(
    changes: list[ListedCard], data: st.DataObject
) -> None:
    whole = _after(Held(0, AT, {}), CardsChange(0, len(changes), changes))
    held = Held(0, AT, {})
    while held.version < len(changes):
        # As after a repeated delivery: a change may begin before the version that we have.
        start = data.draw(st.integers(0, held.version))
        end = data.draw(st.integers(held.version + 1, len(changes)))
        held = _after(held, CardsChange(start, end, changes[start:end]))
    assert held == whole


@given(changes=st.lists(CARDS, max_size=20), split=st.integers(0, 20))
def test_a_snapshot_and_the_changes_after_it_give_the_same_list(
    changes: list[ListedCard], split: int
) -> None:
    split = min(split, len(changes))
    before = _after(Held(0, AT, {}), CardsChange(0, split, changes[:split]))
    cards = [ListedCard(uid, state) for uid, state in before.cards.items()]
    snapshot = Held(split, AT, {card.uid: card.state for card in cards})
    last = _after(snapshot, CardsChange(split, len(changes), changes[split:]))
    assert last == _after(Held(0, AT, {}), CardsChange(0, len(changes), changes))


def test_a_change_with_a_gap_before_it_or_from_the_past_is_left_alone() -> None:
    held = Held(5, AT, {})
    lost = [ListedCard(UIDS[0], CardState.LOST)]
    assert changed(held, CardsChange(6, 7, lost), AT) is None
    assert changed(held, CardsChange(3, 4, lost), AT) is None


def test_a_snapshot_counts_once_all_parts_are_there_in_any_order(tmp_path: Path) -> None:
    cards = CardList(tmp_path / "cards.json")
    first = CardsSnapshot(9, 0, 2, [ListedCard(UIDS[0], CardState.ACTIVE)])
    second = CardsSnapshot(9, 1, 2, [ListedCard(UIDS[1], CardState.LOST)])
    assert not cards.apply(second)
    assert not cards.apply(second)
    assert cards.judge(UIDS[0]).reason is Refusal.NO_LIST
    assert cards.apply(first)
    assert cards.judge(UIDS[0]) == Judgement(Decision.ADMITTED, None, 9)
    assert cards.judge(UIDS[1]).reason is Refusal.LOST


def test_an_empty_list_is_a_list(tmp_path: Path) -> None:
    cards = CardList(tmp_path / "cards.json")
    assert cards.apply(CardsSnapshot(0, 0, 1, []))
    assert cards.judge(UIDS[0]).reason is Refusal.UNKNOWN


def test_the_list_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "cards.json"
    cards = CardList(path)
    cards.apply(CardsSnapshot(3, 0, 1, [ListedCard(UIDS[0], CardState.ACTIVE)]))
    cards.apply(CardsChange(3, 4, [ListedCard(UIDS[0], CardState.LOST)]))
    assert CardList(path).judge(UIDS[0]) == Judgement(Decision.REFUSED, Refusal.LOST, 4)


@pytest.mark.parametrize("damage", ["cut", "zeroed", "flipped", "empty", "gone"])
def test_a_torn_file_leaves_the_version_before_it(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "cards.json"
    cards = CardList(path)
    cards.apply(CardsSnapshot(3, 0, 1, [ListedCard(UIDS[0], CardState.ACTIVE)]))
    cards.apply(CardsChange(3, 4, [ListedCard(UIDS[0], CardState.LOST)]))
    whole = path.read_bytes()
    broken = {
        "cut": whole[:-5],
        "zeroed": whole[:-20] + b"\0" * 20,
        "flipped": whole[:70] + bytes([whole[70] ^ 1]) + whole[71:],
        "empty": b"",
    }
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(broken[damage])
    assert CardList(path).held.version == 3


def test_a_disk_that_takes_nothing_leaves_the_list_in_memory(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    cards = CardList(folder / "cards.json")
    folder.rmdir()
    cards.apply(CardsSnapshot(3, 0, 1, [ListedCard(UIDS[0], CardState.ACTIVE)]))
    assert cards.judge(UIDS[0]).decision is Decision.ADMITTED
    assert cards.failure
    folder.mkdir()
    cards.apply(CardsChange(3, 4, []))
    assert cards.failure is None
    assert CardList(folder / "cards.json").held.version == 4


def _after(held: Held, change: CardsChange) -> Held:
    result = changed(held, change, AT)
    assert result is not None
    return result
