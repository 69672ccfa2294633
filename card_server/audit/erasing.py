"""Erasing the personal part of those entries that speak of a person under another subject."""

from collections.abc import Callable, Collection
from itertools import groupby

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from card_server.audit.details import Detail, open_text, read_detail
from card_server.audit.writing import ERASED, Actor, note, write_waiting
from schema.tables.audit import AuditDetail, AuditEntry

_AT_A_TIME = 500


def erase_details_where(
    session: Session,
    school_id: int,
    subjects: Collection[str],
    actor: Actor,
    is_meant: Callable[[Detail], bool],
) -> int:
    """Erase the details of these subjects' entries that are meant; note that for each subject.

    The chain verifies as before: a detail that is gone is accounted for by a later entry about its
    subject. Returns how many were erased.
    """
    write_waiting(session)
    connection = session.connection()
    found = connection.execute(
        select(AuditEntry.subject, AuditEntry.seq, AuditDetail.body)
        .join(
            AuditDetail,
            (AuditDetail.school_id == AuditEntry.school_id) & (AuditDetail.seq == AuditEntry.seq),
        )
        .where(AuditEntry.school_id == school_id, AuditEntry.subject.in_(subjects))
        .order_by(AuditEntry.subject, AuditEntry.seq)
    ).all()
    erased = 0
    for subject, rows in groupby(found, key=lambda row: row.subject):
        texts = [(row.seq, open_text(connection, row.body)) for row in rows]
        meant = [seq for seq, text in texts if text is not None and is_meant(read_detail(text))]
        for begin in range(0, len(meant), _AT_A_TIME):
            connection.execute(
                delete(AuditDetail).where(
                    AuditDetail.school_id == school_id,
                    AuditDetail.seq.in_(meant[begin : begin + _AT_A_TIME]),
                )
            )
        if meant:
            note(session, school_id, actor, ERASED, subject)
        erased += len(meant)
    return erased
