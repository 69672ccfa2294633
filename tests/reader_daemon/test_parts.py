"""Parts: a list counts once it is whole, whatever came in between."""

from hypothesis import given
from hypothesis import strategies as st

from reader_daemon.parts import Parts


@given(st.integers(1, 6), st.data())
def test_any_order_and_repetition_ends_in_the_whole_once(parts: int, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(parts)))
    more = data.draw(st.lists(st.sampled_from(order[:-1]), max_size=4)) if parts > 1 else []
    gathered = Parts[int]()
    for number in [*order[:-1], *more]:
        assert gathered.add("list", number, parts, number) is None
    assert gathered.add("list", order[-1], parts, order[-1]) == [*range(parts)]


def test_a_part_of_another_list_begins_anew() -> None:
    gathered = Parts[str]()
    assert gathered.add(1, 0, 2, "old") is None
    assert gathered.add(2, 1, 2, "new, last") is None
    assert gathered.add(2, 0, 2, "new, first") == ["new, first", "new, last"]
