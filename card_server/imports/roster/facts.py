"""What reading a roster needs to know of the school, and the columns of sheets that are known."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.imports.roster.choices import StagedFile
from card_server.imports.roster.loading import load_as_roster, load_year
from card_server.imports.roster.reading import Reading, SchoolFacts, look, read
from card_server.storage.sealing import Seal
from integrations.roster.sheets.columns import fingerprint
from schema.tables.roster import RosterMapping
from schema.tables.school import Homeroom, School


def read_file(
    session: Session, school_id: int, file: StagedFile, today: date, seal: Seal
) -> Reading:
    """The file's roster, for this school."""
    return read(
        file,
        find_facts(session, school_id, today),
        lambda: load_as_roster(session, school_id, seal, today),
        lambda header: find_mapping(session, school_id, header),
    )


def look_at(session: Session, school_id: int, file: StagedFile) -> Reading:
    """A sheet and what its columns mean, without anybody in it."""
    return look(file, lambda header: find_mapping(session, school_id, header))


def find_facts(session: Session, school_id: int, today: date) -> SchoolFacts:
    """What files do not say of the school."""
    grades = session.scalars(
        select(Homeroom.grade)
        .where(Homeroom.school_id == school_id, Homeroom.is_past.is_(False))
        .distinct()
        .order_by(Homeroom.grade)
    )
    countries = session.scalar(select(School.phone_countries).where(School.id == school_id))
    return SchoolFacts(
        load_year(session, school_id, today),
        today,
        tuple(grades),
        tuple((countries or "CN").split()),
    )


def find_mapping(
    session: Session, school_id: int, header: Sequence[str]
) -> tuple[str | None, ...] | None:
    """What the columns of a sheet with this header meant the last time."""
    row = session.get(RosterMapping, (school_id, fingerprint(header)))
    return tuple(json.loads(row.targets)) if row else None


def keep_mapping(
    session: Session,
    school_id: int,
    header: Sequence[str],
    targets: Sequence[str | None],
    now: datetime,
) -> None:
    """Remember what these columns mean, by the targets' keys."""
    key = fingerprint(header)
    row = session.get(RosterMapping, (school_id, key))
    if row is None:
        row = RosterMapping(school_id=school_id, fingerprint=key)
        session.add(row)
    row.targets = json.dumps(list(targets))
    row.changed_at = now
    session.flush()
