"""Writing judged days down, and with them all that follows: taps, messages, webhooks.

Whoever judges days otherwise than for a tap that came in ends here: deadlines, leave, corrections,
moves, the recomputing of a term. The gate does the same for its batch (services/gate.py).
"""

from datetime import datetime

from sqlalchemy.orm import Session

from card_server.attendance.day_book import DayBook
from card_server.attendance.notices import Settled, settle_messages
from card_server.storage.bulk import write_all
from card_server.webhooks.days import tell_of_days


def write_judged(session: Session, book: DayBook, as_of: datetime) -> Settled:
    """Write what is in the book, in the transaction that holds its students' locks.

    What was told before decides what may be told now.
    """
    book.rewrite_taps()
    settled = settle_messages(session, book, as_of)
    write_all(session, book.writes())
    book.forget_unseen()
    tell_of_days(session, book.rewritten, as_of)
    return settled
