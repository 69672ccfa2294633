"""Giving a school notice out: its messages are queued at once, or by a job when they are many."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from card_server.jobs.queue import Asker, ask_once
from card_server.messages.notice_job import NOTICE, parameters_of
from card_server.messages.notices import AT_ONCE, NoticeWish, make_notice, queue_notice


class Given(NamedTuple):
    """A notice that is on its way, and the job that writes its messages if there is one."""

    notice_id: int
    sent: int
    """Messages that are queued already."""
    job_id: int | None


def give_notice(session: Session, asker: Asker, wish: NoticeWish, now: datetime) -> Given:
    """Make a notice and see to its messages, all in the caller's transaction.

    Raises AppError(CONFLICT) when it reaches nobody, and when it was given out just now.
    """
    made = make_notice(session, asker.actor, asker.school_id, wish, now)
    if made.numbers > AT_ONCE:
        job_id = ask_once(session, asker, NOTICE, parameters_of(made.notice.id), now)
        return Given(made.notice.id, 0, job_id)
    sent = queue_notice(session, asker.school_id, made.notice.id, now)
    return Given(made.notice.id, sent, None)
