"""Verifying in the database: what was done to its rows is found and named, a page at a time."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit import verifying
from card_server.audit.faults import Anchor, Fault, FaultKind, Report
from card_server.audit.verifying import find_chains, read_head, snapshot, verify_chain
from card_server.audit.writing import Actor, note

WANG = Actor("staff", 12, "王老师", "10.1.2.3")
Deed = tuple[str, ...]
_NO_DETAIL = "DELETE FROM audit_detail WHERE school_id = 1 AND seq"
_NO_ENTRY = "DELETE FROM audit_entry WHERE school_id = 1 AND seq"
_PUT = "UPDATE audit_entry SET seq"
_OTHER_BODY = "(SELECT body FROM audit_detail WHERE school_id = 1 AND seq = 4)"


@pytest.fixture
def chain(sessions: sessionmaker[Session]) -> Callable[[str], None]:
    """A chain of nine in school 1, one of two in school 2; runs SQL against it."""
    with sessions.begin() as session:
        for number in range(9):
            note(session, 1, WANG, "student.seen", f"student:{number}")
        for number in range(2):
            note(session, 2, WANG, "student.seen", f"student:{number}")

    def run(*statements: str) -> None:
        with sessions.begin() as session:
            for statement in statements:
                session.execute(text(statement))

    return run


def verify(engine: Engine, school_id: int = 1, anchor: Anchor | None = None) -> Report:
    with snapshot(engine) as connection:
        return verify_chain(connection, school_id, anchor)


@pytest.mark.parametrize(
    ("deed", "faults"),
    [
        (
            ("UPDATE audit_entry SET action = 'x.y' WHERE school_id = 1 AND seq = 3",),
            [Fault(FaultKind.EDITED, 3, 3)],
        ),
        (
            ("UPDATE audit_entry SET actor_id = NULL WHERE school_id = 1 AND seq = 9",),
            [Fault(FaultKind.EDITED, 9, 9)],
        ),
        (
            (f"{_NO_DETAIL} IN (4, 5)", f"{_NO_ENTRY} IN (4, 5)"),
            [Fault(FaultKind.REMOVED, 4, 5)],
        ),
        ((f"{_NO_DETAIL} > 6", f"{_NO_ENTRY} > 6"), [Fault(FaultKind.TRUNCATED, 7, 9)]),
        ((f"{_NO_DETAIL} > 0", f"{_NO_ENTRY} > 0"), [Fault(FaultKind.TRUNCATED, 1, 9)]),
        (
            ("DELETE FROM audit_head WHERE school_id = 1",),
            [Fault(FaultKind.HEAD_CHANGED, 9, 9)],
        ),
        (
            (f"UPDATE audit_detail SET body = {_OTHER_BODY} WHERE school_id = 1 AND seq = 2",),
            [Fault(FaultKind.DETAIL_CHANGED, 2, 2)],
        ),
        ((f"{_NO_DETAIL} = 2",), [Fault(FaultKind.DETAIL_REMOVED, 2, 2)]),
    ],
)
def test_a_deed_is_named(
    chain: Callable[..., None], engine: Engine, deed: Deed, faults: list[Fault]
) -> None:
    assert verify(engine).is_whole
    chain(*deed)
    assert verify(engine).faults == faults
    assert verify(engine, 2).is_whole


def test_swapped_rows_are_named(chain: Callable[..., None], engine: Engine) -> None:
    chain(
        f"{_NO_DETAIL} IN (3, 7)",
        f"{_PUT} = 99 WHERE school_id = 1 AND seq = 3",
        f"{_PUT} = 3 WHERE school_id = 1 AND seq = 7",
        f"{_PUT} = 7 WHERE school_id = 1 AND seq = 99",
    )
    assert Fault(FaultKind.SWAPPED, 3, 7) in verify(engine).faults
    assert FaultKind.EDITED not in verify(engine).counts


def test_a_chain_is_read_some_entries_at_a_time(
    chain: Callable[..., None], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "_AT_A_TIME", 4)
    steps: list[int] = []
    with snapshot(engine) as connection:
        report = verify_chain(connection, 1, progress=steps.append)
    assert (steps, report.entries, report.is_whole) == ([4, 4, 1], 9, True)
    chain(f"{_NO_DETAIL} = 5", f"{_NO_ENTRY} = 5")
    assert verify(engine).faults == [Fault(FaultKind.REMOVED, 5, 5)]


def test_an_anchor_of_before_still_fits_after_more_was_noted(
    chain: Callable[..., None], engine: Engine, sessions: sessionmaker[Session]
) -> None:
    anchor = verify(engine).end
    assert anchor is not None
    with sessions.begin() as session:
        note(session, 1, WANG, "student.seen", "student:1")
    assert verify(engine, 1, anchor).is_whole
    assert not verify(engine, 1, Anchor(anchor.seq, bytes(32))).is_whole
    assert not verify(engine, 1, Anchor(99, bytes(32))).is_whole


def test_what_is_noted_while_a_chain_is_walked_is_not_a_fault(
    chain: Callable[..., None], engine: Engine, sessions: sessionmaker[Session]
) -> None:
    with snapshot(engine) as connection:
        assert read_head(connection, 1) is not None
        with sessions.begin() as session:
            note(session, 1, WANG, "student.seen", "student:1")
        assert verify_chain(connection, 1).is_whole


def test_a_chain_without_its_head_or_without_entries_is_still_found(
    chain: Callable[..., None], engine: Engine
) -> None:
    chain("DELETE FROM audit_head WHERE school_id = 1")
    chain("DELETE FROM audit_detail WHERE school_id = 2")
    chain("DELETE FROM audit_entry WHERE school_id = 2")
    with snapshot(engine) as connection:
        assert find_chains(connection) == [1, 2]
