"""The demo's past: four weeks of taps and leave, so that every page has something to show.

The taps come in as another system's log does, and the days are judged like any others: nobody is
told of them.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.attendance.plans import moment_of, read_school
from card_server.attendance.recompute import Recomputing
from card_server.calendar.reading import plans_between
from card_server.calendar.rules import Rules
from card_server.demo.weeks import Away, Passed, Pupil, play_days
from card_server.imports.tap_log import LoggedTap
from card_server.imports.taps import import_taps
from card_server.people.boarding_days import boards_on
from card_server.school_time import day_of
from card_server.storage.sealing import Seal
from schema.messages import CardState, Decision, ReaderState, SourceState
from schema.tables.cards import Card, CardBinding
from schema.tables.leave import LeaveKind, LeaveSlip, LeaveState
from schema.tables.people import Guardianship, Student
from schema.tables.readers import Direction, Purpose, Reader, ReaderHealth
from schema.tables.school import Homeroom, School, Term

_DAYS = 28
_BY = "班主任"
_REASONS = {LeaveKind.SICK: "感冒发烧，在家休息", LeaveKind.PERSONAL: "家里有事，需要外出"}
_ASKED = (
    (41, 1, 1, LeaveKind.SICK, "明天上午去医院复查"),
    (203, 1, 5, LeaveKind.PERSONAL, "回老家参加婚礼"),
    (388, 3, 3, LeaveKind.OFFICIAL, "参加市中学生篮球赛"),
)
"""What guardians ask for now: whose, from and to how many days ahead, kind and reason."""


def add_past(sessions: sessionmaker[Session], school: School, seal: Seal, now: datetime) -> None:
    """Four weeks to yesterday, as far as the school's year goes; and leave that waits."""
    zone = ZoneInfo(school.zone)
    today = day_of(now, zone)
    with sessions.begin() as session:
        first = max(today - timedelta(days=_DAYS), _year_began(session, school.id, today))
        _add_asked(session, school.id, zone, seal, now)
        if first >= today:
            return
        rooms = session.scalars(select(Homeroom.id).where(Homeroom.school_id == school.id)).all()
        days = plans_between(session, school.id, first, today + timedelta(days=1), rooms)
        pupils = _pupils(session, school.id, today)
        taps, away = play_days(days, today, pupils, zone)
        session.add_all(_slip(school.id, one, seal, zone) for one in away)
        log = _log(session, school.id, taps)
        _say_gates_reported(session, school.id, moment_of(today, 0, zone))
    import_taps(sessions, school.code, log)
    with sessions() as session:
        of_school = read_school(session, school.id)
    last = today - timedelta(days=1)
    doing = Recomputing(sessions, of_school, first, last, now, by_new_calendar=True)
    doing.do(lambda _done, _of: None)


def _year_began(session: Session, school_id: int, today: date) -> date:
    """Nobody was of a homeroom before."""
    began = select(Term.starts_on).where(Term.school_id == school_id).order_by(Term.starts_on)
    return session.scalars(began.limit(1)).first() or today


def _pupils(session: Session, school_id: int, today: date) -> list[Pupil]:
    found = session.execute(
        select(Student.id, Student.homeroom_id, Card.uid, boards_on(today))
        .join(CardBinding, CardBinding.student_id == Student.id)
        .join(Card, Card.id == CardBinding.card_id)
        .where(Student.school_id == school_id, Card.state == CardState.ACTIVE)
        .order_by(Student.id)
    )
    return [Pupil(*row) for row in found]


def _log(session: Session, school_id: int, taps: Sequence[Passed]) -> list[LoggedTap]:
    """Each tap at a gate of its direction, a card always at the same ones."""
    found = session.execute(
        select(Reader.direction, Reader.code, Reader.name)
        .where(Reader.school_id == school_id, Reader.purpose == Purpose.GATE)
        .order_by(Reader.id)
    ).all()
    gates: dict[Direction | None, list[tuple[str, str]]] = {}
    for direction, code, name in found:
        gates.setdefault(direction, []).append((code, name))
    log = []
    for line, tap in enumerate(taps, 1):
        of_way = gates[tap.direction]
        code, name = of_way[int(tap.uid, 16) % len(of_way)]
        log.append(LoggedTap(line, tap.uid, name, code, tap.at, Decision.ADMITTED, None))
    return log


def _say_gates_reported(session: Session, school_id: int, until: datetime) -> None:
    """The days that are over wait for no gate."""
    gates = session.scalars(
        select(Reader.id).where(Reader.school_id == school_id, Reader.purpose == Purpose.GATE)
    )
    session.add_all(
        ReaderHealth(
            school_id=school_id,
            reader_id=reader_id,
            state=ReaderState.OFFLINE,
            source=SourceState.READY,
            seen_at=until,
            boot=0,
            drained_to=until,
            cards_version=0,
            spooled=0,
            aside=0,
            disk_free_mb=0,
            clock_skew_s=0.0,
            failures="",
            software="",
        )
        for reader_id in gates
    )


def _slip(school_id: int, away: Away, seal: Seal, zone: ZoneInfo) -> LeaveSlip:
    """A day's leave, asked for on the evening before and approved."""
    asked_at = moment_of(away.day, 0, zone) - timedelta(hours=3)
    return LeaveSlip(
        school_id=school_id,
        student_id=away.student_id,
        kind=away.kind,
        from_at=moment_of(away.day, 0, zone),
        until_at=moment_of(away.day + timedelta(days=1), 0, zone),
        needs_school=False,
        reason_sealed=seal.close(_REASONS[away.kind]),
        state=LeaveState.APPROVED,
        asked_by=_BY,
        asked_at=asked_at,
        decided_by=_BY,
        decided_at=asked_at + timedelta(minutes=20),
    )


def _add_asked(session: Session, school_id: int, zone: ZoneInfo, seal: Seal, now: datetime) -> None:
    """Leave that guardians ask for, so that there is something to decide."""
    today = day_of(now, zone)
    students = session.scalars(
        select(Student.id).where(Student.school_id == school_id).order_by(Student.id)
    ).all()
    for place, first, last, kind, reason in _ASKED:
        guardian_id, relation = session.execute(
            select(Guardianship.guardian_id, Guardianship.relation)
            .where(Guardianship.student_id == students[place])
            .order_by(Guardianship.guardian_id)
            .limit(1)
        ).one()
        session.add(
            LeaveSlip(
                school_id=school_id,
                student_id=students[place],
                kind=kind,
                from_at=moment_of(today + timedelta(days=first), 0, zone),
                until_at=moment_of(today + timedelta(days=last + 1), 0, zone),
                needs_school=last - first + 1 > Rules().leave_days,
                reason_sealed=seal.close(reason),
                state=LeaveState.ASKED,
                asked_by=relation,
                guardian_id=guardian_id,
                asked_at=now,
            )
        )
