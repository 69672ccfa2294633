"""The job "faces": the cards of several homerooms, or of the whole school, as one document."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext

from card_server.audit.writing import note
from card_server.faces.printing import Output, print_faces
from card_server.faces.students import count_faces, find_issuer, read_faces
from card_server.field_errors import marked as _
from card_server.jobs.protocol import File, Progress, Result, RunningJob, Sessions
from card_server.staff.scope import narrow
from schema.messages import utc_now

FACES: Final = "faces"
MEDIA_TYPE: Final = "application/pdf"


def parameters_of(output: Output, homeroom_ids: list[int]) -> dict[str, Any]:
    """What the job needs to know; no homeroom means all."""
    return {"output": output.value, "homerooms": homeroom_ids}


def describe_faces(parameters: Mapping[str, Any]) -> str:
    """Which cards, in the language of the page."""
    rooms = len(parameters["homerooms"])
    if not rooms:
        return str(gettext("all homerooms"))
    return str(gettext("%(rooms)s homerooms", rooms=rooms))


def make_faces(sessions: Sessions, job: RunningJob, progress: Progress) -> Result:
    """Draw the cards that the maker may see, and note that they were taken."""
    rooms, output = list(job.parameters["homerooms"]), Output(job.parameters["output"])
    with sessions.reading() as session:
        narrow(session, job.school.id, job.grants)
        total = count_faces(session, job.school.id, rooms)
        issuer = find_issuer(session, job.school.id, job.school.name)
        faces = read_faces(session, job.school.id, rooms, job.seal)
        progress(0, total)
        body = print_faces(output, issuer, faces, lambda done: progress(done, total))
    progress.keep(body)
    with sessions.writing.begin() as session:
        details = {"cards": total, "output": output.value, "homerooms": rooms}
        subject = f"school:{job.school.id}"
        note(session, job.school.id, job.actor, "face.printed", subject, details=details)
    name = name_file(output, f"{utc_now().astimezone(job.school.zone).date()}")
    message = _("The cards of %(cards)s students are ready.")
    return Result(message, {"cards": total}, File(name, MEDIA_TYPE, total))


def name_file(output: Output, what: str) -> str:
    """The document's name: ids and days, nobody's name."""
    return f"card-faces-{output.value}-{what}.pdf"
