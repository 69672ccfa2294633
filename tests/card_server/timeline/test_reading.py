"""The timeline: every source, merged by time, and pages that neither repeat nor hide anything."""

from datetime import UTC, datetime, timedelta

from flask_babel import lazy_gettext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from card_server.timeline.protocol import Asking, Moment, Source
from card_server.timeline.reading import read_timeline
from card_server.timeline.registry import SOURCES
from card_server.words.cards import card_number
from tests.card_server.people.people_school import ZONE
from tests.card_server.personal.canary import NOTE, add_canary
from tests.card_server.personal.conftest import engine, sessions
from tests.card_server.web.small_school import SmallSchool, add_tap

__all__ = ["engine", "sessions"]
START = datetime(2026, 9, 1, tzinfo=UTC)


def _source(name: str, minutes: list[int]) -> Source:
    def read(asking: Asking) -> list[Moment]:
        times = sorted({START + timedelta(minutes=one) for one in minutes}, reverse=True)
        wanted = [one for one in times if asking.before is None or one < asking.before]
        return [Moment(one, str(one), name) for one in wanted[: asking.limit]]

    return Source(name, lazy_gettext("Tap"), read)


@given(
    st.lists(st.lists(st.integers(0, 40), max_size=30), min_size=1, max_size=4), st.integers(1, 9)
)
def test_all_pages_together_hold_each_moment_once_in_order(
    minutes: list[list[int]], limit: int
) -> None:
    sources = [_source(str(place), one) for place, one in enumerate(minutes)]
    session: Session = None  # type: ignore[assignment]
    seen: list[tuple[datetime, str]] = []
    before: datetime | None = None
    while True:
        page = read_timeline(sources, Asking(session, 1, 1, ZONE, before, limit))
        seen += [(line.moment.at, line.source.name) for line in page.lines]
        if page.next_before is None:
            break
        assert before is None or page.next_before < before
        before = page.next_before
    assert [at for at, _ in seen] == sorted((at for at, _ in seen), reverse=True)
    assert len(seen) == len(set(seen)) == sum(len(set(one)) for one in minutes)


def _ask(session: Session, school: SmallSchool, student: int, limit: int = 50) -> Asking:
    return Asking(session, school.id, school.students[student], ZONE, None, limit)


def test_everything_that_the_card_did_is_on_it(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        school = add_canary(session)
    with sessions() as session:
        page = read_timeline(SOURCES, _ask(session, school, 0))
        other = read_timeline(SOURCES, _ask(session, school, 1))
    names = [line.source.name for line in page.lines]
    assert set(names) >= {"taps", "messages", "cards", "registrations", "notes"}
    assert set(names) >= {"leave", "corrections", "passages"}
    assert NOTE in [line.moment.text for line in page.lines]
    assert {line.moment.text for line in page.lines if line.source.name == "cards"} == {
        card_number(school.uids[0])
    }
    assert other.lines == []


def test_the_number_of_queries_does_not_grow(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        school = add_canary(session)
        for minute in range(40):
            add_tap(session, school, 1, at=START + timedelta(days=minute))
    statements: list[str] = []
    with sessions() as session:
        listen = lambda *args: statements.append(args[2])  # noqa: E731
        event.listen(session.get_bind(), "before_cursor_execute", listen)
        page = read_timeline(SOURCES, _ask(session, school, 1, limit=10))
        event.remove(session.get_bind(), "before_cursor_execute", listen)
    assert len(page.lines) == 10
    assert len([one for one in statements if one.startswith("SELECT")]) == len(SOURCES)
