"""Noting who did what: entries join their chain in the caller's own transaction, or not at all.

What is noted waits until the transaction is about to commit. Only then is the end of its chain
locked: for as short as can be, after every other lock, and several chains in the same order, so
that those who note never wait for one another in a circle.
"""

import getpass
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, event, insert, select, text, update
from sqlalchemy.orm import Session, SessionTransaction

from card_server.audit.chain import GENESIS, Link, digest_of, hash_of
from card_server.audit.details import close_text, write_detail
from schema.tables.audit import DISTRICT, AuditDetail, AuditEntry, AuditHead

ERASED = "audit.erased"
"""The action that accounts for details that are gone."""
_ACTION = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_SUBJECT = re.compile(r"[!-~]{1,80}")
_WAITING = "audit_waiting"


class Actor(NamedTuple):
    """Who does something; only kind and id stand in the chain."""

    kind: str
    """`staff`, `token`, `command`, `system` or, before a log-in, `nobody`."""
    id: int | None
    name: str
    address: str
    """Where from: an IP address, or empty."""


SYSTEM = Actor("system", None, "", "")
"""What the server does by itself."""


class _Note(NamedTuple):
    transaction: SessionTransaction | None
    chain: int
    actor: Actor
    action: str
    subject: str
    detail: str


def note(
    session: Session,
    school_id: int | None,
    actor: Actor,
    action: str,
    subject: str,
    *,
    reason: str = "",
    details: Mapping[str, object] | None = None,
) -> None:
    """Note what the session's transaction does; nothing is noted if that is rolled back.

    Without a school it belongs to the district. `action` is a dotted word (`staff.disabled`),
    `subject` names the thing by its id (`staff:12`). Names, numbers and values go into `details`
    alone, which are sealed and can be erased; they may be anything that JSON can hold.
    """
    if not _ACTION.fullmatch(action) or len(action) > 60:
        raise ValueError("an action is a dotted word in small letters")
    if not _SUBJECT.fullmatch(subject):
        raise ValueError("a subject is named by its id, and not in a person's words")
    if session.get_bind().get_execution_options().get("read_only"):
        raise RuntimeError("a session that only reads cannot note anything")
    detail = write_detail(actor.name, actor.address, reason, details or {})
    transaction = session.get_nested_transaction() or session.get_transaction()
    if transaction is None:
        session.connection()
        transaction = session.get_transaction()
    waiting: list[_Note] = session.info.setdefault(_WAITING, [])
    waiting.append(_Note(transaction, school_id or DISTRICT, actor, action, subject, detail))


def erase_details(
    session: Session, school_id: int | None, subject: str, actor: Actor, *, reason: str = ""
) -> int:
    """Erase the personal part of all entries about a subject, note that, and say how many.

    What happened, when, and to which id stays in the chain, which verifies as before.
    """
    write_waiting(session)
    chain = school_id or DISTRICT
    about = select(AuditEntry.seq).where(
        AuditEntry.school_id == chain, AuditEntry.subject == subject
    )
    erased = session.connection().execute(
        delete(AuditDetail).where(AuditDetail.school_id == chain, AuditDetail.seq.in_(about))
    )
    note(session, school_id, actor, ERASED, subject, reason=reason)
    return erased.rowcount


def at_command_line() -> Actor:
    """Whoever runs a command on the server, by the name that the machine knows."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Actor("command", None, name, "")


@event.listens_for(Session, "before_commit")
def _write_before_commit(session: Session) -> None:
    if not session.in_nested_transaction():
        write_waiting(session)


@event.listens_for(Session, "after_soft_rollback")
def _forget_rolled_back(session: Session, ended: SessionTransaction) -> None:
    """What a transaction or savepoint noted goes with it."""
    waiting: list[_Note] = session.info.get(_WAITING, [])
    waiting[:] = [one for one in waiting if not _is_part_of(one.transaction, ended)]


def _is_part_of(inner: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.parent
    return False


def write_waiting(session: Session) -> None:
    """Append what was noted to its chains now; the locks last until the transaction ends."""
    waiting: list[_Note] = session.info.pop(_WAITING, [])
    if not waiting:
        return
    session.flush()
    connection = session.connection()
    for chain, notes in groupby(sorted(waiting, key=_chain_of), key=_chain_of):
        _append(connection, chain, list(notes))


def _chain_of(one: _Note) -> int:
    return one.chain


def _append(connection: Connection, chain: int, notes: Sequence[_Note]) -> None:
    seq, previous = _lock_head(connection, chain)
    entries: list[dict[str, Any]] = []
    details: list[dict[str, Any]] = []
    for one in notes:
        seq += 1
        link = Link(
            chain,
            seq,
            datetime.now(UTC),
            one.actor.kind,
            one.actor.id,
            one.action,
            one.subject,
            digest_of(one.detail),
            previous,
        )
        previous = hash_of(link)
        entries.append({**link._asdict(), "hash": previous})
        body = close_text(connection, one.detail)
        details.append({"school_id": chain, "seq": seq, "body": body})
    connection.execute(insert(AuditEntry), entries)
    connection.execute(insert(AuditDetail), details)
    connection.execute(
        update(AuditHead).where(AuditHead.school_id == chain).values(seq=seq, hash=previous)
    )


def _lock_head(connection: Connection, chain: int) -> tuple[int, bytes]:
    """The end of the chain; on SQLite the transaction itself is the lock."""
    wanted = (
        select(AuditHead.seq, AuditHead.hash).where(AuditHead.school_id == chain).with_for_update()
    )
    found = connection.execute(wanted).one_or_none()
    if found is None:
        first = text("INSERT INTO audit_head VALUES (:chain, 0, :hash) ON CONFLICT DO NOTHING")
        connection.execute(first, {"chain": chain, "hash": GENESIS})
        found = connection.execute(wanted).one()
    return found.seq, found.hash
