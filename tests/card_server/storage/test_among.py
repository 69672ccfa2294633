"""A column is among values on either database, however many there are."""

from datetime import date, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from card_server.storage.among import is_among
from schema.tables.school import School, Term

_MONDAY = date(2026, 9, 7)


def test_rows_are_found_by_numbers_and_by_days(engine: Engine) -> None:
    with Session(engine) as session:
        schools = [School(code=code, name=code, signature="") for code in ("a", "b", "c")]
        session.add_all(schools)
        session.flush()
        for one in schools:
            for begins in (_MONDAY, _MONDAY - timedelta(days=1)):
                session.add(_term(one.id, begins))
        session.flush()
        first, _second, third = (one.id for one in schools)
        days = [_MONDAY + timedelta(days=n) for n in range(200)]
        found = session.execute(
            select(Term.school_id, Term.starts_on).where(
                is_among(session, Term.starts_on, days),
                is_among(session, Term.school_id, {first, third}),
            )
        )
        assert {(key, day) for key, day in found} == {(first, _MONDAY), (third, _MONDAY)}
        among_none = select(Term.id).where(is_among(session, Term.school_id, []))
        assert session.scalars(among_none).all() == []


def _term(school_id: int, begins: date) -> Term:
    return Term(
        school_id=school_id,
        school_year=2026,
        name=f"{begins:%d}",
        starts_on=begins,
        ends_on=begins + timedelta(days=100),
    )
