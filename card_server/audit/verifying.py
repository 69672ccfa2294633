"""Walking a chain of the audit log in the database, some entries at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, and_, func, select

from card_server.audit.chain import Link, digest_of
from card_server.audit.details import is_sealed, open_text
from card_server.audit.faults import Anchor, DetailState, Entry, Examination, Report
from card_server.audit.writing import ERASED
from schema.tables.audit import AuditDetail, AuditEntry, AuditHead

_AT_A_TIME = 1_000
_LINK = tuple(getattr(AuditEntry, name) for name in Link._fields)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the chains as they are now, while others go on appending."""
    options: dict[str, object] = {"read_only": True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with engine.connect() as connection:
        yield connection.execution_options(**options)


def find_chains(connection: Connection) -> list[int]:
    """Every chain of which anything is left, by its school's id; the district's first."""
    of_entries = select(AuditEntry.school_id).distinct()
    return sorted(connection.scalars(select(AuditHead.school_id).union(of_entries)))


def read_head(connection: Connection, chain: int) -> Anchor | None:
    """Where the chain should end."""
    head = select(AuditHead.seq, AuditHead.hash).where(AuditHead.school_id == chain)
    found = connection.execute(head).one_or_none()
    return Anchor(*found) if found else None


def verify_chain(
    connection: Connection,
    chain: int,
    anchor: Anchor | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """What was done to a chain, if anything; `progress` hears how many more were read."""
    examination = Examination(read_head(connection, chain), anchor)
    after = 0
    while batch := _read_batch(connection, chain, after):
        for entry in batch:
            examination.take(entry)
        after = batch[-1].link.seq
        progress(len(batch))
    return examination.finish()


def _read_batch(connection: Connection, chain: int, after: int) -> list[Entry]:
    own = and_(AuditDetail.school_id == AuditEntry.school_id, AuditDetail.seq == AuditEntry.seq)
    found = connection.execute(
        select(*_LINK, AuditEntry.hash, AuditDetail.body)
        .outerjoin(AuditDetail, own)
        .where(AuditEntry.school_id == chain, AuditEntry.seq > after)
        .order_by(AuditEntry.seq)
        .limit(_AT_A_TIME)
    )
    rows = [(Link(*fields), own_hash, body) for *fields, own_hash, body in found]
    erased_at = _find_erasures(
        connection, chain, {link.subject for link, _, body in rows if body is None}
    )
    return [
        Entry(
            link,
            own_hash,
            _judge_gone(link, erased_at) if body is None else _judge(connection, link, body),
        )
        for link, own_hash, body in rows
    ]


def _find_erasures(connection: Connection, chain: int, subjects: set[str]) -> dict[str, int]:
    """Of each subject, the last entry that says that details were erased."""
    if not subjects:
        return {}
    found = connection.execute(
        select(AuditEntry.subject, func.max(AuditEntry.seq).label("last"))
        .where(
            AuditEntry.school_id == chain,
            AuditEntry.action == ERASED,
            AuditEntry.subject.in_(subjects),
        )
        .group_by(AuditEntry.subject)
    )
    return {row.subject: row.last for row in found}


def _judge_gone(link: Link, erased_at: dict[str, int]) -> DetailState:
    was_erased = erased_at.get(link.subject, 0) > link.seq
    return DetailState.ERASED if was_erased else DetailState.LOST


def _judge(connection: Connection, link: Link, body: bytes) -> DetailState:
    text = open_text(connection, body)
    if text is None or digest_of(text) != link.digest:
        return DetailState.CHANGED
    return DetailState.KEPT if is_sealed(body) else DetailState.PLAIN
