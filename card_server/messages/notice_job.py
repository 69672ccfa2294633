"""The job "notice": the messages of a school notice that reaches very many."""

from collections.abc import Mapping
from typing import Any, Final

from card_server.field_errors import marked as _
from card_server.jobs.protocol import Progress, Result, RunningJob, Sessions
from card_server.messages.notices import queue_notice
from card_server.staff.scope import narrow
from schema.messages import utc_now

NOTICE: Final = "notice"


def parameters_of(notice_id: int) -> dict[str, Any]:
    """What the job needs to know."""
    return {"notice": notice_id}


def describe_notice(parameters: Mapping[str, Any]) -> str:
    """Which notice, by its number in the list."""
    return str(parameters["notice"])


def do_notice(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Queue all messages in one transaction, to whom its maker reaches today."""
    with sessions.writing.begin() as session:
        narrow(session, job.school.id, job.grants)
        sent = queue_notice(session, job.school.id, job.parameters["notice"], utc_now())
        result = Result(_("%(messages)s messages are on their way."), {"messages": sent})
        progress.settle(session, result)
    return result
