"""The messages carry what they say, stay small, and refuse what is not one of them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from schema.messages import (
    MAX_BYTES,
    MAX_TAPS,
    VERSION,
    Ack,
    CardsChange,
    CardsMessage,
    CardsSnapshot,
    CardState,
    Decision,
    ExitPermits,
    ExitsMessage,
    ExitsSnapshot,
    HeldCards,
    Identify,
    ListedCard,
    Permit,
    ReaderState,
    Refusal,
    Rejected,
    Rejection,
    SourceState,
    Status,
    Tap,
    Taps,
    Window,
)

_counts = st.integers(0, 2**31 - 1)
_large = st.integers(0, 2**53)
_uids = st.sampled_from([4, 7, 10]).flatmap(
    lambda size: st.binary(min_size=size, max_size=size).map(lambda raw: raw.hex().upper())
)
_times = st.datetimes(timezones=st.just(UTC))
_taps = st.builds(
    Tap,
    id=st.uuids(),
    boot=_large,
    seq=_large,
    uid=_uids,
    tapped_at=_times,
    decision=st.sampled_from(Decision),
    reason=st.none() | st.sampled_from(Refusal),
    cards_version=_counts,
    atr=st.binary(max_size=33).map(lambda raw: raw.hex().upper()),
    clock_step_s=st.floats(-4e9, 4e9),
)
_cards = st.lists(st.builds(ListedCard, uid=_uids, state=st.sampled_from(CardState)), max_size=20)
_windows = st.lists(st.builds(Window, _times, _times), max_size=5)
_versions = st.just("") | st.binary(min_size=8, max_size=8).map(bytes.hex)
_messages: dict[type[Struct], st.SearchStrategy[Any]] = {
    Taps: st.builds(
        Taps, sent_at=_times, taps=st.lists(_taps, min_size=1, max_size=MAX_TAPS), v=st.just(1)
    ),
    Ack: st.builds(
        Ack,
        kept=st.lists(st.uuids(), max_size=20),
        rejected=st.lists(
            st.builds(Rejected, id=st.uuids(), reason=st.sampled_from(Rejection)), max_size=20
        ),
        v=st.just(1),
    ),
    CardsSnapshot: st.builds(
        CardsSnapshot, list_version=_counts, part=_counts, parts=_counts, cards=_cards, v=st.just(1)
    ),
    CardsChange: st.builds(
        CardsChange, from_version=_counts, to_version=_counts, cards=_cards, v=st.just(1)
    ),
    Status: st.builds(
        Status,
        state=st.sampled_from(ReaderState),
        boot=_large,
        sent_at=_times,
        drained_to=st.none() | _times,
        source=st.sampled_from(SourceState),
        cards_version=_counts,
        cards_at=st.none() | _times,
        spooled=_counts,
        aside=_counts,
        disk_free_mb=_counts,
        failures=st.lists(st.text(max_size=80), max_size=5),
        software=st.text(max_size=40),
        exits_version=st.none() | _versions,
        v=st.just(1),
    ),
    ExitsSnapshot: st.builds(
        ExitsSnapshot,
        list_version=_versions,
        part=_counts,
        parts=_counts,
        sent_at=_times,
        others=_windows,
        held=st.lists(st.builds(HeldCards, _windows, st.lists(_uids, max_size=9)), max_size=4),
        v=st.just(1),
    ),
    ExitPermits: st.builds(
        ExitPermits,
        sent_at=_times,
        part=_counts,
        parts=_counts,
        permits=st.lists(st.builds(Permit, _uids, _times, _times), max_size=9),
        v=st.just(1),
    ),
    Identify: st.builds(Identify, seconds=st.integers(1, 60), v=st.just(1)),
}

_TAP = {
    "id": "0199f0a4-5c00-7000-8000-000000000001",
    "boot": 1,
    "seq": 1,
    "uid": "5630F009",
    "tapped_at": "2026-09-01T07:32:05Z",
    "decision": "admitted",
}


@given(st.data())
@pytest.mark.parametrize("struct", _messages, ids=lambda one: one.__name__)
def test_every_message_comes_back_as_it_went(struct: type[Struct], data: st.DataObject) -> None:
    message = data.draw(_messages[struct])
    assert msgspec.json.decode(msgspec.json.encode(message), type=struct) == message


@given(st.data())
@pytest.mark.parametrize("struct", _messages, ids=lambda one: one.__name__)
def test_every_message_names_its_type_and_its_version(
    struct: type[Struct], data: st.DataObject
) -> None:
    said = json.loads(msgspec.json.encode(data.draw(_messages[struct])))
    assert said["type"] == struct.__struct_config__.tag
    assert said["v"] == VERSION


def test_no_two_messages_have_the_same_type() -> None:
    tags = [struct.__struct_config__.tag for struct in _messages]
    assert all(isinstance(tag, str) for tag in tags)
    assert len(set(tags)) == len(tags)


@given(_messages[CardsSnapshot] | _messages[CardsChange])
def test_the_two_messages_on_cards_are_told_apart(message: CardsMessage) -> None:
    assert msgspec.json.decode(msgspec.json.encode(message), type=CardsMessage) == message


@given(_messages[ExitsSnapshot] | _messages[ExitPermits])
def test_the_two_messages_on_exits_are_told_apart(message: ExitsMessage) -> None:
    assert msgspec.json.decode(msgspec.json.encode(message), type=ExitsMessage) == message


def test_the_status_of_a_reader_that_knows_nothing_of_exits_is_a_status() -> None:
    """As readers of contract 1.0 say it."""
    said = (
        b'{"type":"status","state":"online","boot":12,"sent_at":"2026-09-01T04:00:00Z",'
        b'"drained_to":null,"source":"ready","cards_version":41,"cards_at":null,"spooled":0,'
        b'"aside":0,"disk_free_mb":21630,"failures":[],"software":"0.1.0","v":1}'
    )
    assert msgspec.json.decode(said, type=Status).exits_version is None


def test_a_message_of_another_type_is_not_taken_for_taps() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(Ack()), type=Taps)


@given(st.lists(_taps, min_size=MAX_TAPS, max_size=MAX_TAPS), _times)
def test_as_many_taps_as_one_message_may_carry_fit_into_it(
    taps: list[Tap], sent_at: datetime
) -> None:
    assert len(msgspec.json.encode(Taps(sent_at, taps))) <= MAX_BYTES


def test_the_longest_taps_of_all_fit_into_one_message() -> None:
    at = datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC)
    longest = Tap(
        id=UUID(int=2**128 - 1),
        boot=2**53,
        seq=2**53,
        uid="F" * 20,
        tapped_at=at,
        decision=max(Decision, key=len),
        reason=max(Refusal, key=len),
        cards_version=2**31 - 1,
        atr="FF" * 33,
        clock_step_s=-1.2345678901234567e-300,
    )
    assert len(msgspec.json.encode(Taps(at, [longest] * MAX_TAPS))) <= MAX_BYTES


def test_a_plain_tap_is_accepted() -> None:
    assert _decode_tap({}).uid == "5630F009"


@pytest.mark.parametrize(
    "change",
    [
        {"uid": "5630f009"},
        {"uid": "5630F00900"},
        {"uid": "5630F0"},
        {"uid": "5630F009 "},
        {"uid": "5630F009\n"},
        {"uid": "\uff15630F009"},
        {"uid": 56300009},
        {"uid": None},
        {"id": "not an id"},
        {"id": 7},
        {"boot": -1},
        {"boot": "1"},
        {"boot": 1.5},
        {"boot": True},
        {"boot": 2**63},
        {"seq": 2**53 + 1},
        {"tapped_at": "2026-09-01T07:32:05"},
        {"tapped_at": "2026-13-01T07:32:05Z"},
        {"tapped_at": "yesterday"},
        {"tapped_at": 1_788_000_000},
        {"decision": "perhaps"},
        {"decision": ["admitted"]},
        {"reason": "because"},
        {"cards_version": 2**31},
        {"atr": "3B8"},
        {"atr": "FF" * 34},
        {"clock_step_s": 5e9},
        {"clock_step_s": "1"},
        {"name": "a field that no tap has"},
    ],
    ids=str,
)
def test_a_tap_with_a_wrong_value_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        _decode_tap(change)


@pytest.mark.parametrize("field", _TAP)
def test_a_tap_without_one_of_its_values_is_refused(field: str) -> None:
    rest = {name: value for name, value in _TAP.items() if name != field}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(rest), type=Tap)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_what_is_no_number_is_refused(number: bytes) -> None:
    body = json.dumps(_TAP | {"clock_step_s": 0}).encode()
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(
            body.replace(b'"clock_step_s": 0', b'"clock_step_s": ' + number), type=Tap
        )


@pytest.mark.parametrize("size", [0, MAX_TAPS + 1])
def test_taps_are_at_least_one_and_at_most_max_taps(size: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(_taps_body(taps=[_TAP] * size), type=Taps)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe{}",
        b'{"type": "taps"}',
        b'{"type": "taps", "type": "taps"}',
        b"[" * MAX_BYTES,
        b'{"type":"taps","taps":' + b"[" * 4_000 + b"]" * 4_000 + b"}",
        b'{"type":"taps","more":' + b'{"a":' * 1_500 + b"1" + b"}" * 1_500 + b"}",
        b"\x00" * 100,
    ],
    ids=lambda body: repr(body[:24]),
)
@pytest.mark.parametrize("struct", [Taps, Status])
def test_rubbish_is_refused_and_nothing_breaks(struct: type[Struct], body: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, RecursionError, UnicodeDecodeError)):
        msgspec.json.decode(body, type=struct)


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_being_refused(body: bytes) -> None:
    _refused_or(Taps)(body)
    _refused_or(Status)(body)


def test_a_time_without_a_zone_is_refused_in_taps_and_status() -> None:
    status = {"type": "status", "state": "online", "boot": 1, "sent_at": "2026-09-01T07:32:05"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(status), type=Status)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(_taps_body(sent_at="2026-09-01T07:32:05"), type=Taps)


def _decode_tap(change: dict[str, object]) -> Tap:
    return msgspec.json.decode(json.dumps(_TAP | change), type=Tap)


def _taps_body(**change: object) -> bytes:
    message = {"type": "taps", "sent_at": "2026-09-01T07:32:06Z", "taps": [_TAP]}
    return json.dumps(message | change).encode()


def _refused_or(struct: type[Struct]) -> Callable[[bytes], None]:
    def decode(body: bytes) -> None:
        try:
            decoded = msgspec.json.decode(body, type=struct)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return
        assert isinstance(decoded, struct)

    return decode
