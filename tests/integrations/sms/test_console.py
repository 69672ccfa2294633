"""The console shows the text, hides the number, and remembers nothing."""

import io
from datetime import UTC, datetime

import pytest

from integrations.sms.console import ConsoleCarrier
from integrations.sms.protocol import Callback, Fate, Forged, Question, Sms


@pytest.mark.parametrize(
    ("number", "shown"), [("+8613812345678", "*" * 10 + "5678"), ("110", "****")]
)
def test_it_shows_the_text_and_masks_the_number(number: str, shown: str) -> None:
    stream = io.StringIO()
    carrier = ConsoleCarrier(stream)
    carrier.check()
    ids = {carrier.send(Sms(number, "【实验中学】你好", 60, "r")) for _ in range(2)}
    assert stream.getvalue() == f"SMS {shown}  【实验中学】你好\n" * 2
    assert len(ids) == 2


def test_it_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleCarrier().send(Sms("+8613812345678", "你好", 60, "r"))
    assert "你好" in capsys.readouterr().out


def test_it_cannot_say_what_became_of_a_message() -> None:
    question = Question("+8613812345678", "你好", "r", "console-1", datetime.now(UTC))
    assert ConsoleCarrier().look_up(question).fate is Fate.UNSURE


def test_nobody_can_call_in_its_name() -> None:
    with pytest.raises(Forged):
        ConsoleCarrier().read(Callback("POST", "https://school.example/", {}, b"Body=STOP"))
