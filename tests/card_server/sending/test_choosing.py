"""Which carrier takes a message, and when one that fails is passed over."""

from datetime import UTC, datetime, timedelta

from card_server.sending.choosing import Carriers, Wanted
from integrations.sms.console import ConsoleCarrier
from integrations.sms.protocol import Channel, SendError, Verdict

NOW = datetime(2026, 9, 1, tzinfo=UTC)
SMS = Wanted("sms", False, frozenset(), frozenset())
DOWN = SendError("down")


class Named(ConsoleCarrier):
    """A carrier that is never called here."""

    def __init__(
        self, name: str, channel: Channel = Channel.SMS, *, needs_template: bool = False
    ) -> None:
        super().__init__()
        self.name = name
        self.channel = channel
        self.needs_template = needs_template


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def chosen(carriers: Carriers, wanted: Wanted = SMS) -> str | None:
    choice = carriers.choose(wanted)
    return choice.carrier.name if choice.carrier else None


def test_the_first_in_order_takes_it_unless_it_refused_before() -> None:
    carriers = Carriers([Named("a"), Named("b")], Clock())
    assert chosen(carriers) == "a"
    assert chosen(carriers, SMS._replace(refused_by=frozenset("a"))) == "b"
    both = SMS._replace(refused_by=frozenset("ab"))
    assert carriers.choose(both) == (None, None)
    assert not carriers.may_another_take(SMS, frozenset("ab"))
    assert carriers.may_another_take(SMS, frozenset("a"))


def test_a_carrier_that_needs_an_approved_text_takes_no_other() -> None:
    carriers = Carriers([Named("a", needs_template=True), Named("b")], Clock())
    assert chosen(carriers) == "b"
    assert chosen(carriers, SMS._replace(templates=frozenset("a"))) == "a"
    assert carriers.needing_template == ["a"]


def test_wecom_is_for_those_who_want_it_and_are_there_and_sms_reaches_them_else() -> None:
    carriers = Carriers([Named("w", Channel.WECOM), Named("a")], Clock())
    assert chosen(carriers) == "a"
    assert chosen(carriers, SMS._replace(channel="wecom")) == "a"
    on_wecom = SMS._replace(channel="wecom", has_wecom=True)
    assert chosen(carriers, on_wecom) == "w"
    assert chosen(carriers, on_wecom._replace(refused_by=frozenset("w"))) == "a"


def test_three_failures_in_a_row_pass_a_carrier_over_and_one_message_tries_it_again() -> None:
    clock = Clock()
    carriers = Carriers([Named("a"), Named("b")], clock)
    for _ in range(3):
        assert chosen(carriers) == "a"
        carriers.note_failed("a", DOWN)
    assert [chosen(carriers) for _ in range(5)] == ["b"] * 5
    clock.go(15)
    assert [chosen(carriers) for _ in range(3)] == ["a", "b", "b"]
    carriers.note_taken("a")
    assert [chosen(carriers) for _ in range(3)] == ["a"] * 3


def test_each_failed_trial_doubles_the_rest_to_five_minutes_at_most() -> None:
    clock = Clock()
    carriers = Carriers([Named("a")], clock)
    for _ in range(3):
        carriers.note_failed("a", DOWN)
    rests = []
    for _ in range(7):
        again_at = carriers.choose(SMS).again_at
        assert again_at
        rests.append((again_at - clock.now).total_seconds())
        clock.now = again_at
        assert chosen(carriers) == "a"
        carriers.note_failed("a", DOWN)
    assert rests == [15, 30, 60, 120, 240, 300, 300]


def test_a_trial_that_never_ended_is_followed_by_another_one() -> None:
    clock = Clock()
    carriers = Carriers([Named("a")], clock)
    for _ in range(3):
        carriers.note_failed("a", DOWN)
    clock.go(15)
    assert [chosen(carriers), chosen(carriers)] == ["a", None]
    clock.go(61)
    assert chosen(carriers) == "a"


def test_a_rising_share_of_failures_passes_a_carrier_over() -> None:
    carriers = Carriers([Named("a"), Named("b")], Clock())
    for _ in range(4):
        carriers.note_taken("a")
        carriers.note_failed("a", DOWN)
    assert chosen(carriers) == "a"
    carriers.note_taken("a")
    carriers.note_failed("a", DOWN)
    assert chosen(carriers) == "b"


def test_what_is_the_messages_own_fault_is_not_the_carriers() -> None:
    for verdict in (Verdict.PERMANENT, Verdict.NUMBER_QUOTA):
        carriers = Carriers([Named("a")], Clock())
        for _ in range(20):
            carriers.note_failed("a", SendError("x", verdict))
        assert chosen(carriers) == "a"
        assert carriers.trouble() is None
        [state] = carriers.states()
        assert (state.tried, state.failed, state.last_taken_at) == (20, 0, None)


def test_a_limit_of_the_account_is_the_carriers_trouble() -> None:
    carriers = Carriers([Named("a"), Named("b")], Clock())
    for _ in range(3):
        carriers.note_failed("a", SendError("x", Verdict.QUOTA))
    assert chosen(carriers) == "b"


def test_a_refusal_for_the_numbers_sake_shows_that_a_carrier_works_again() -> None:
    clock = Clock()
    carriers = Carriers([Named("a")], clock)
    for _ in range(3):
        carriers.note_failed("a", DOWN)
    clock.go(15)
    assert chosen(carriers) == "a"
    carriers.note_failed("a", SendError("x", Verdict.NUMBER_QUOTA))
    assert [chosen(carriers), chosen(carriers)] == ["a", "a"]


def test_whoever_rests_is_not_waited_for_by_what_the_first_refused() -> None:
    clock = Clock()
    carriers = Carriers([Named("a"), Named("b")], clock)
    for _ in range(3):
        carriers.note_failed("b", DOWN)
    assert not carriers.may_another_take(SMS, frozenset("a"))
    clock.go(15)
    assert carriers.may_another_take(SMS, frozenset("a"))
    assert chosen(carriers, SMS._replace(refused_by=frozenset("a"))) == "b"
    assert not carriers.may_another_take(SMS, frozenset("a"))


def test_a_carrier_that_is_used_no_more_keeps_nothing_back() -> None:
    carriers = Carriers([Named("a"), Named("b")], Clock())
    before = frozenset({"a", "long-gone"})
    assert chosen(carriers, SMS._replace(refused_by=before)) == "b"
    assert carriers.may_another_take(SMS, before)
    assert not carriers.may_another_take(SMS, before | {"b"})


def test_a_carrier_is_passed_over_since_its_first_rest_until_it_works() -> None:
    clock = Clock()
    carriers = Carriers([Named("a")], clock)
    assert carriers.states()[0].passed_over_since is None
    for _ in range(3):
        carriers.note_failed("a", DOWN)
    for seconds in (15, 30, 60):
        clock.go(seconds)
        assert chosen(carriers) == "a"
        carriers.note_failed("a", DOWN)
        [state] = carriers.states()
        assert state.passed_over_since == NOW
        assert state.passed_over_until == clock.now + timedelta(seconds=2 * seconds)
    carriers.note_taken("a")
    [state] = carriers.states()
    assert (state.passed_over_since, state.passed_over_until) == (None, None)


def test_a_carrier_rests_as_long_as_it_asks() -> None:
    clock = Clock()
    carriers = Carriers([Named("a")], clock)
    carriers.note_failed("a", SendError("slow down", retry_after_s=7))
    assert carriers.choose(SMS).again_at == NOW + timedelta(seconds=7)
    clock.go(7)
    assert chosen(carriers) == "a"


def test_pages_are_told_of_a_change_at_once_and_else_now_and_then() -> None:
    clock = Clock()
    carriers = Carriers([Named("a")], clock)
    assert [carriers.has_news(), carriers.has_news()] == [True, False]
    for _ in range(3):
        carriers.note_failed("a", DOWN)
    assert carriers.has_news()
    [state] = carriers.states()
    assert (state.tried, state.failed, state.last_error) == (3, 3, "down")
    assert state.passed_over_until == NOW + timedelta(seconds=15)
    clock.go(6)
    assert carriers.has_news()
