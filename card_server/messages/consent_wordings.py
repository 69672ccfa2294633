"""The wordings to which guardians consent (告知同意书): the newest counts, the old ones stay."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.audit.writing import Actor, note
from card_server.field_errors import FieldsError, Problems, clean
from card_server.field_errors import marked as _
from schema.messages import utc_now
from schema.tables.people import ConsentWording, Language

MOST = 4000
"""Characters of a wording."""


def list_wordings(session: Session, school_id: int) -> list[ConsentWording]:
    """All of the school's, the newest first."""
    return list(
        session.scalars(
            select(ConsentWording)
            .where(ConsentWording.school_id == school_id)
            .order_by(ConsentWording.id.desc())
        )
    )


def name_wording(wording: ConsentWording) -> str:
    """A wording as lists name it: its day, and how it begins."""
    return f"{wording.made_at:%Y-%m-%d} {wording.body.splitlines()[0][:_SHOWN]}"


_SHOWN = 40
"""Characters of a wording that tell it from others."""


def newest_wording(session: Session, school_id: int, language: Language) -> ConsentWording | None:
    """What a guardian of this language is asked to agree to; None when there is nothing yet."""
    return session.scalar(
        select(ConsentWording)
        .where(ConsentWording.school_id == school_id, ConsentWording.language == language)
        .order_by(ConsentWording.id.desc())
        .limit(1)
    )


def read_wording(typed: str) -> str:
    """A wording as it may be kept, with its paragraphs. Raises FieldsError."""
    body = "\n".join(clean(line) for line in typed.splitlines()).strip()
    wrong = Problems()
    if not body:
        wrong.add("body", _("This must not be empty."))
    elif len(body) > MOST:
        wrong.add("body", _("This may have 4000 characters at most."))
    wrong.refuse()
    return body


def read_language(typed: str) -> Language:
    """Raises FieldsError for what is none."""
    if typed not in list(Language):
        raise FieldsError({"language": _("Choose one of the languages.")})
    return Language(typed)


def add_wording(
    session: Session, actor: Actor, school_id: int, language: Language, body: str
) -> ConsentWording:
    """A new wording, to which guardians consent from now on; who consented before has done so.

    Raises FieldsError when it is word for word the one in force.
    """
    newest = newest_wording(session, school_id, language)
    if newest is not None and newest.body == body:
        raise FieldsError({"body": _("This is the wording that is in force already.")})
    wording = ConsentWording(
        school_id=school_id,
        language=language,
        body=body,
        made_by=actor.name[:120],
        made_at=utc_now(),
    )
    session.add(wording)
    session.flush()
    details = {"language": language, "body": body}
    note(
        session, school_id, actor, "consent_wording.made", f"wording:{wording.id}", details=details
    )
    return wording
