"""Whatever bytes come in: good taps come out, everything else gets a reason, nothing raises."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from card_server.messages.templates import compile_texts
from card_server.taps.directory import ReaderFacts, ReaderKey, SchoolFacts
from card_server.taps.inbox import Incoming, Opened, open_messages
from schema.messages import MAX_BYTES, MAX_TAPS, Rejection
from schema.tables.readers import ByteOrder, Direction, Purpose

NOW = datetime(2026, 9, 3, tzinfo=UTC)
SCHOOL = SchoolFacts(1, "no1", compile_texts("一中"), ZoneInfo("Asia/Shanghai"), 60, 480, 30, 1)
READER = ReaderFacts(1, "gate-in", SCHOOL, Purpose.GATE, Direction.IN, None)
BACKWARDS = ReaderFacts(
    2, "gate-out", SCHOOL, Purpose.GATE, Direction.OUT, None, ByteOrder.REVERSED
)
READERS = {ReaderKey("no1", "gate-in"): READER, ReaderKey("no1", "gate-out"): BACKWARDS}
TAP_TOPIC, STATUS_TOPIC = "campus/v1/no1/gate-in/tap", "campus/v1/no1/gate-in/status"


def tap(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(UUID(int=number)),
        "boot": 1,
        "seq": number,
        "uid": "04A1B2C3",
        "tapped_at": NOW.isoformat(),
        "decision": "admitted",
    } | changes


def taps(*listed: Any, **changes: Any) -> dict[str, Any]:
    return {"type": "taps", "sent_at": NOW.isoformat(), "taps": listed, "v": 1} | changes


def status(**changes: Any) -> dict[str, Any]:
    return {"type": "status", "state": "online", "boot": 1, "sent_at": NOW.isoformat()} | changes


def receive(payload: bytes | dict[str, Any], topic: str = TAP_TOPIC, **changes: Any) -> Opened:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    values: dict[str, Any] = {"received_at": NOW, "held_s": 0.0, "is_retained": False}
    values |= {"mid": 1, "qos": 1}
    return open_messages([Incoming(topic, body, **values | changes)], READERS)


def reasons(opened: Opened) -> list[Rejection]:
    assert len(opened.taps) == len(opened.sources)
    return [refused.reason for refused in opened.refused]


def told(opened: Opened) -> dict[int, Rejection]:
    """What the reader learns, by the number of each tap."""
    return {one.id.int: one.reason for refused in opened.refused for one in refused.taps}


def test_good_taps_come_out_with_their_reader_and_the_message_they_came_in() -> None:
    opened = receive(taps(tap(1), tap(2)))
    assert [one.id.int for one in opened.taps] == [1, 2]
    assert {one.reader.code for one in opened.taps} == {"gate-in"}
    assert [source.topic for source in opened.sources] == [TAP_TOPIC] * 2
    assert opened.refused == []


def test_a_tap_has_the_cards_own_number_whichever_byte_its_reader_gives_first() -> None:
    backwards = taps(tap(1, uid="C3B2A104"), tap(2, uid="80E5D4C3B2A104"), tap(3, uid="bad"))
    opened = receive(backwards, topic="campus/v1/no1/gate-out/tap")
    assert [one.uid for one in opened.taps] == ["04A1B2C3", "04A1B2C3D4E580"]
    assert [one.uid for one in receive(taps(tap(1))).taps] == ["04A1B2C3"]


def test_the_message_is_corrected_by_its_skew() -> None:
    opened = receive(taps(tap()), received_at=NOW + timedelta(seconds=3660), held_s=3600.0)
    assert opened.taps[0].occurred_at == NOW + timedelta(seconds=60)
    assert opened.taps[0].tapped_at == NOW
    assert not opened.taps[0].clock_suspect


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe\x00",
        b'{"type":"taps"}',
        b'{"type":"status"}',
        b'{"taps":' + b"[" * 100_000,
        b"[" * 8000,
        b'{"a":' * 1600,
        taps(),
        taps(tap(), sent_at=1),
        taps(tap(), sent_at="2026-09-03T00:00:00"),
        taps(tap(), sent_at=None),
        {"type": "taps", "taps": {"0": tap()}, "sent_at": NOW.isoformat()},
    ],
    ids=lambda payload: repr(payload)[:40],
)
def test_what_is_no_message_of_taps_gives_no_tap(payload: bytes | dict[str, Any]) -> None:
    opened = receive(payload)
    assert (opened.taps, opened.statuses) == ([], [])
    assert len(reasons(opened)) == 1
    assert set(reasons(opened)) <= {Rejection.MALFORMED, Rejection.TOO_LARGE}


@pytest.mark.parametrize(
    "bad",
    [
        {"uid": "04a1b2c3"},
        {"uid": "04A1B2"},
        {"uid": "04A1B2C3D4"},
        {"uid": 4},
        {"boot": -1},
        {"boot": 2**53 + 1},
        {"seq": 10**400},
        {"seq": 1.5},
        {"seq": True},
        {"tapped_at": "2026-09-03T00:00:00"},
        {"tapped_at": "0001-01-01T00:00:00Z"},
        {"tapped_at": "0001-01-01T00:00:00+14:00"},
        {"tapped_at": "1969-12-31T23:59:59Z"},
        {"tapped_at": "2100-01-01T00:00:00Z"},
        {"tapped_at": "9999-12-31T23:59:59-14:00"},
        {"tapped_at": "2026-13-01T00:00:00Z"},
        {"tapped_at": 1},
        {"decision": "perhaps"},
        {"reason": "because"},
        {"clock_step_s": "1"},
        {"clock_step_s": 5e9},
        {"clock_step_s": float("nan")},
        {"clock_step_s": float("inf")},
        {"atr": "3"},
        {"cards_version": 2**31},
        {"name": "张三"},
    ],
    ids=str,
)
def test_one_bad_tap_is_named_and_the_good_ones_beside_it_are_kept(bad: dict[str, Any]) -> None:
    opened = receive(taps(tap(1), tap(2, **bad), tap(3)))
    if ("clock_step_s" in bad and bad["clock_step_s"] != bad["clock_step_s"]) or "inf" in str(bad):
        # NaN and Infinity are no JSON: nothing of such a message can be trusted.
        assert opened.taps == []
        assert reasons(opened) == [Rejection.MALFORMED]
        return
    assert [one.id.int for one in opened.taps] == [1, 3]
    assert told(opened) == {2: Rejection.MALFORMED}


def test_a_bad_tap_without_a_readable_id_is_refused_and_cannot_be_named() -> None:
    opened = receive(taps(tap(1), tap(2, id="?"), 7, None))
    assert [one.id.int for one in opened.taps] == [1]
    assert reasons(opened) == [Rejection.MALFORMED]
    assert told(opened) == {}


def test_invalid_utf8_in_one_tap_does_not_cost_the_other() -> None:
    good, bad = json.dumps(tap(1)).encode(), json.dumps(tap(2)).encode()
    body = b'{"type":"taps","sent_at":"%s","taps":[%s,%s]}' % (
        NOW.isoformat().encode(),
        good,
        bad.replace(b"04A1B2C3", b"04A1\xff\xfeC3"),
    )
    opened = receive(body)
    assert Rejection.MALFORMED in reasons(opened)
    assert 2 not in [one.id.int for one in opened.taps]


@pytest.mark.parametrize("sent_at", ["1969-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_message_sent_at_no_time_at_all_is_refused_tap_by_tap(sent_at: str) -> None:
    opened = receive(taps(tap(1), tap(2), sent_at=sent_at))
    assert opened.taps == []
    assert told(opened) == {1: Rejection.MALFORMED, 2: Rejection.MALFORMED}


def test_a_reader_that_woke_in_1970_is_corrected_and_suspect() -> None:
    woke = "1970-01-01T00:01:00Z"
    opened = receive(taps(tap(tapped_at=woke), sent_at=woke))
    assert opened.taps[0].occurred_at == NOW
    assert opened.taps[0].clock_suspect


@pytest.mark.parametrize("frame", [{"type": "tap"}, {"v": "one"}, {"extra": 1}], ids=str)
def test_good_taps_in_a_wrong_frame_are_saved_and_the_frame_is_reported(
    frame: dict[str, Any],
) -> None:
    opened = receive(taps(tap(1), **frame))
    assert [one.id.int for one in opened.taps] == [1]
    assert reasons(opened) == [Rejection.MALFORMED]
    assert told(opened) == {}


def test_more_taps_than_a_message_may_carry_are_still_saved() -> None:
    opened = receive(taps(*[tap(n, uid="04A1B2C3") for n in range(1, MAX_TAPS + 2)]))
    assert len(opened.taps) == MAX_TAPS + 1
    assert Rejection.MALFORMED in reasons(opened)


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 16 * MAX_BYTES, 17 * MAX_BYTES])
def test_over_eight_kib_is_too_large_and_named_while_that_is_cheap(size: int) -> None:
    body = json.dumps(taps(tap(1))).encode().ljust(size)
    opened = receive(body)
    assert opened.taps == []
    assert reasons(opened) == [Rejection.TOO_LARGE]
    assert told(opened) == ({} if size > 16 * MAX_BYTES else {1: Rejection.TOO_LARGE})


def test_exactly_eight_kib_is_not_too_large() -> None:
    assert len(receive(json.dumps(taps(tap())).encode().ljust(MAX_BYTES)).taps) == 1


@pytest.mark.parametrize(
    "topic",
    [
        "campus/v1/no1/gate-north/tap",
        "campus/v1/no2/gate-in/tap",
        "campus/v1/no1/gate-north/status",
        "campus/v2/no1/gate-in/tap",
        "campus/v1/no1/gate-in/tap/more",
        "campus/v1/no1/gate-in/door",
        "campus/v1/NO1/gate-in/tap",
        "campus/v1/学校/gate-in/tap",
        "$SYS/broker/version",
        "",
        "/" * 200,
    ],
)
def test_other_topics_and_unknown_readers_are_refused(topic: str) -> None:
    opened = receive(taps(tap(1)), topic)
    assert (opened.taps, opened.statuses) == ([], [])
    assert reasons(opened) == [Rejection.UNKNOWN_READER]
    assert told(opened) == {1: Rejection.UNKNOWN_READER}


@pytest.mark.parametrize(("topic", "body"), [(TAP_TOPIC, taps(tap(1))), (STATUS_TOPIC, status())])
def test_a_retained_message_is_refused(topic: str, body: dict[str, Any]) -> None:
    opened = receive(body, topic, is_retained=True)
    assert (opened.taps, opened.statuses) == ([], [])
    assert reasons(opened) == [Rejection.RETAINED]


def test_a_status_comes_out_with_its_reader() -> None:
    opened = receive(status(failures=["no disk"], drained_to=NOW.isoformat()), STATUS_TOPIC)
    [(reader, said, _)] = opened.statuses
    assert (reader, said.failures, said.drained_to) == (READER, ["no disk"], NOW)


@pytest.mark.parametrize(
    "bad",
    [
        {"state": "asleep"},
        {"boot": None},
        {"spooled": -1},
        {"spooled": 2**31},
        {"software": "x" * 41},
        {"failures": [1]},
        {"sent_at": "9999-12-31T23:59:59Z"},
        {"drained_to": "0001-01-01T00:00:00+14:00"},
        {"cards_at": "9999-12-31T23:59:59-14:00"},
        {"who": "me"},
    ],
    ids=str,
)
def test_a_malformed_status_is_refused(bad: dict[str, Any]) -> None:
    opened = receive(status(**bad), STATUS_TOPIC)
    assert opened.statuses == []
    assert reasons(opened) == [Rejection.MALFORMED]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_fields = st.fixed_dictionaries({}, optional=dict.fromkeys([*tap(), "atr", "reason"], _json))
_messages = st.builds(
    lambda listed, changes: json.dumps(taps(*listed, **changes)).encode(),
    st.lists(_fields.map(lambda changes: tap() | changes) | _json),
    st.fixed_dictionaries({}, optional={"sent_at": _json, "v": _json, "type": _json}),
)
_garbled = st.builds(
    lambda body, at, junk: body[: at % len(body)] + junk + body[at % len(body) + len(junk) :],
    st.just(json.dumps(taps(tap(1), tap(2))).encode()),
    st.integers(0),
    st.binary(min_size=1, max_size=4),
)


@given(
    payload=st.binary() | _messages | _garbled,
    topic=st.sampled_from([TAP_TOPIC, STATUS_TOPIC]) | st.text(),
    is_retained=st.booleans(),
    held_s=st.floats(0, 86_400),
)
def test_no_bytes_raise_and_each_message_is_opened_or_refused(
    payload: bytes, topic: str, is_retained: bool, held_s: float
) -> None:
    opened = receive(payload, topic, is_retained=is_retained, held_s=held_s)
    assert opened.taps or opened.statuses or opened.refused
    assert len(opened.taps) == len(opened.sources)
    assert all(source.topic == topic for source in opened.sources)
    assert not (is_retained and (opened.taps or opened.statuses))
