"""Lines of a roll for paper: what each says, short, and harmless whatever a name is."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from flask_babel import Babel
from markupsafe import Markup

from card_server.reports.rolls import Roll, RollLine
from card_server.staff.sessions import SchoolInUse
from card_server.web.roll_words import line_writer
from schema.tables.leave import LeaveKind

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)


@pytest.fixture
def write() -> Iterator[Callable[[Roll], Markup]]:
    app = Flask(__name__)
    Babel(app, default_locale="en")
    with app.test_request_context():
        g.school = SchoolInUse(1, "一中", "一中", ZoneInfo("Asia/Shanghai"), "08:00", 1)
        yield line_writer(NOW)


def _line(name: str, since_at: datetime = NOW, gate: str = "东门进", **more: object) -> RollLine:
    noted = {"is_boarder": False, "is_unsure": False, "leave": None} | more
    return RollLine(name, "20260001", since_at, gate, **noted)  # type: ignore[arg-type]


def test_a_line_says_since_when_by_which_gate_and_what_is_to_be_noted(
    write: Callable[[Roll], Markup],
) -> None:
    days_ago = NOW - timedelta(days=3)
    roll = Roll(
        "高一(1)班",
        [
            _line("张三", NOW + timedelta(seconds=30)),
            _line("李四", gate=""),
            _line("王五", days_ago, is_boarder=True),
            _line("赵六", leave=LeaveKind.SICK),
            _line("孙七", is_unsure=True),
        ],
    )
    assert write(roll) == (
        "<li>张三<p>10:41 东门进"
        "<li>李四<p>10:41 by hand"
        "<li>王五<p>11-20 10:41 东门进 · boarder"
        "<li>赵六<p>10:41 东门进 · sick leave"
        "<li>孙七<p>nobody saw them leave"
    )


def test_notes_that_differ_in_one_thing_are_never_taken_for_each_other(
    write: Callable[[Roll], Markup],
) -> None:
    """Equal notes are written once for all rolls: what tells two apart must not be overlooked."""
    lines = [
        _line("甲"),
        _line("乙", NOW + timedelta(minutes=1)),
        _line("丙", NOW + timedelta(hours=1)),
        _line("丁", NOW - timedelta(days=1)),
        _line("戊", gate="西门进"),
        _line("己", is_boarder=True),
        _line("庚", is_unsure=True),
        _line("辛", leave=LeaveKind.SICK),
        _line("壬", leave=LeaveKind.PERSONAL),
    ]
    written = "".join(write(Roll(str(number), [line])) for number, line in enumerate(lines))
    notes = [one.partition("<p>")[2] for one in written.split("<li>")[1:]]
    assert len(notes) == len(lines)
    assert len(set(notes)) == len(notes)


def test_names_and_gates_are_text_and_never_markup(write: Callable[[Roll], Markup]) -> None:
    roll = Roll("高一(1)班", [_line("<b>张三</b>", gate='门 & "<i>"'), _line("{{ 7*7 }}")])
    assert write(roll) == (
        "<li>&lt;b&gt;张三&lt;/b&gt;<p>10:41 门 &amp; &quot;&lt;i&gt;&quot;"
        "<li>{{ 7*7 }}<p>10:41 东门进"
    )


def test_twins_in_name_have_their_number_beside_it(write: Callable[[Roll], Markup]) -> None:
    other = RollLine("张三", "20260002", NOW, "东门进", False, False)
    written = write(Roll("高一(1)班", [_line("张三"), other]))
    assert written == "<li>张三 (0001)<p>10:41 东门进<li>张三 (0002)<p>10:41 东门进"
