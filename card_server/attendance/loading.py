"""What is known of students' days: their taps, leave, corrections, and who boards or is exempt.

A batch of taps is of many schools, and most students have nothing special on that day: one query
tells who has, and only for those is asked what it is.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from sqlalchemy import Date, TextClause, TextualSelect, bindparam, select, text
from sqlalchemy.orm import Session

from card_server.attendance.corrections import corrections_of
from card_server.attendance.exemptions import exempt_on
from card_server.attendance.facts import Corrected, Leave, Passing, Standing
from card_server.attendance.hand_passages import passings_of
from card_server.attendance.plans import PlanKey
from card_server.attendance.pupils import Pupil
from card_server.attendance.rows import StudentKey
from card_server.leave.reading import leaves_of
from card_server.school_time import bounds_of
from card_server.storage.bulk import encode_rows, fetch, given_clause
from card_server.storage.together import Query, Rows, ask_together
from schema.tables.attendance import Attendance, Deadline, HandPassage
from schema.tables.metadata import UtcDateTime
from schema.tables.people import Boarding
from schema.tables.readers import Direction
from schema.tables.taps import DirectionBy, Effect, Tap

Reported = dict[PlanKey, datetime]
"""Up to when the gates had reported, by a homeroom's day."""


class Span(Struct, frozen=True):
    """Days from the first to the last, in a zone."""

    zone: ZoneInfo
    first: date
    last: date

    @property
    def begin(self) -> datetime:
        """The first day's first moment, in UTC."""
        return bounds_of(self.first, self.zone)[0]

    @property
    def end(self) -> datetime:
        """The first moment after the last day, in UTC."""
        return bounds_of(self.last, self.zone)[1]


class Judgement(Struct, frozen=True, gc=False):
    """How a tap on record stands there."""

    at: datetime
    is_suspect: bool
    direction: Direction | None
    by: DirectionBy | None
    effect: Effect


class LastSeen(Struct, frozen=True, gc=False):
    """The last passing that counted before a moment."""

    at: datetime
    direction: Direction
    reader_id: int


class Known(Struct):
    """What is known of some students' days, by student."""

    passings: dict[int, list[Passing]] = field(default_factory=dict)
    """Of the whole span; taps on record and what guards wrote down."""
    judgements: dict[tuple[int, UUID], Judgement] = field(default_factory=dict)
    leaves: dict[int, list[Leave]] = field(default_factory=dict)
    corrections: dict[tuple[int, date], list[Corrected]] = field(default_factory=dict)
    exempt: set[tuple[int, date]] = field(default_factory=set)
    boarding: dict[int, list[tuple[date, date | None]]] = field(default_factory=dict)

    def standing(self, student_id: int, day: date) -> Standing:
        """What is expected of a student on a day."""
        is_exempt = (student_id, day) in self.exempt
        if self.boards(student_id, day):
            return Standing.EXEMPT_BOARDER if is_exempt else Standing.BOARDER
        return Standing.EXEMPT if is_exempt else Standing.DAY

    def boards(self, student_id: int, day: date) -> bool:
        """Whether a student sleeps at school then."""
        if student_id not in self.boarding:
            return False
        return any(
            from_on <= day and (until_on is None or day < until_on)
            for from_on, until_on in self.boarding[student_id]
        )

    def boards_every_night(self, student_id: int, first: date, until: date) -> bool:
        """Whether a student sleeps at school in all nights between two days."""
        nights = range((until - first).days)
        return all(self.boards(student_id, first + timedelta(days=night)) for night in nights)


class _Due(Struct, gc=False):
    school_id: int
    day: date
    homeroom_id: int
    due_at: datetime
    judged_at: datetime | None


def by_span(pupils: Iterable[Pupil]) -> dict[Span, list[Pupil]]:
    """Students by the days that are to be judged of them."""
    spans: dict[Span, list[Pupil]] = {}
    for pupil in pupils:
        span = Span(pupil.school.zone, min(pupil.days), max(pupil.days))
        spans.setdefault(span, []).append(pupil)
    return spans


def marks_query(session: Session, span: Span, students: Sequence[StudentKey]) -> Query:
    """Who has anything that is not a tap, as `load_special` wants it."""
    parameters = {
        "given": encode_rows(students),
        "first": span.first,
        "last": span.last,
        "begin": span.begin,
        "end": span.end,
    }
    return Query(_marks_query(session.get_bind().dialect.name), parameters)


def load_special(
    session: Session,
    span: Span,
    students: Sequence[StudentKey],
    known: Known,
    marks: Rows | None = None,
) -> None:
    """Add all that is not a tap: leave, corrections, passages by hand, exemptions, boarding.

    `marks` is the answer to `marks_query`, if it was asked already.
    """
    if marks is None:
        [marks] = ask_together(session, [marks_query(session, span, students)])
    marked: dict[str, dict[int, set[int]]] = {}
    for kind, school_id, student_id in marks:
        marked.setdefault(kind, {}).setdefault(school_id, set()).add(student_id)
    first, last, begin, end = span.first, span.last, span.begin, span.end
    for school_id, ids in marked.get("leave", {}).items():
        known.leaves |= leaves_of(session, school_id, ids, begin, end)
    for school_id, ids in marked.get("correction", {}).items():
        known.corrections |= corrections_of(session, school_id, ids, first, last)
    for school_id, ids in marked.get("exemption", {}).items():
        known.exempt |= exempt_on(session, school_id, ids, first, last)
    for school_id, ids in marked.get("hand", {}).items():
        for student_id, passings in passings_of(session, school_id, ids, begin, end).items():
            known.passings.setdefault(student_id, []).extend(passings)
    boarders = {one for ids in marked.get("boarding", {}).values() for one in ids}
    _load_boarding(session, boarders, known)


def load_taps(session: Session, span: Span, students: Sequence[StudentKey], known: Known) -> None:
    """Add the taps on record that were passages of the gate.

    Where a reader with a direction of its own decided, that direction is what the tap says, for
    ever; a direction that was found is found anew.
    """
    if not students:
        return
    connection = session.connection()
    rows = connection.execute(
        _taps_query(connection.dialect.name),
        {"given": encode_rows(students), "begin": span.begin, "end": span.end},
    )
    passings, judgements, reader = known.passings, known.judgements, DirectionBy.READER
    for student_id, id_, at, reader_id, is_suspect, direction, by, effect in rows.all():
        fixed = direction if by is reader else None
        passings.setdefault(student_id, []).append(Passing(id_, at, reader_id, fixed, is_suspect))
        judgements[student_id, id_] = Judgement(at, is_suspect, direction, by, effect)


def days_on_record(
    session: Session, students: Sequence[StudentKey], after: date, until: date
) -> dict[int, dict[date, int]]:
    """The days on record after one day and to another, with their homerooms, by student."""
    if not students or after >= until:
        return {}
    row = Attendance.__table__.c
    found = session.connection().execute(
        select(row.student_id, row.day, row.homeroom_id).where(
            row.school_id.in_({one.school_id for one in students}),
            row.student_id.in_([one.student_id for one in students]),
            row.day > after,
            row.day <= until,
        )
    )
    days: dict[int, dict[date, int]] = {}
    for student_id, day, homeroom_id in found:
        days.setdefault(student_id, {})[day] = homeroom_id
    return days


def reported_to(session: Session, keys: Iterable[PlanKey]) -> Reported:
    """Up to when the gates had reported when a homeroom's day was last judged by its deadlines.

    What was judged stays so: a gate that is in the dark afterwards takes no absence back.
    """
    reported: Reported = {}
    for row in fetch(session, Deadline, list(keys), _Due):
        if row.judged_at is not None:
            key = PlanKey(row.school_id, row.day, row.homeroom_id)
            reported[key] = max(reported.get(key, row.due_at), row.due_at)
    return reported


def last_seen(
    session: Session, students: Sequence[StudentKey], before: datetime
) -> dict[int, LastSeen]:
    """The last passing of each student that counted before a moment; not of who has none."""
    if not students:
        return {}
    connection = session.connection()
    parameters = {"given": encode_rows(students), "before": before}
    found = {
        row[0]: LastSeen(*row[1:])
        for row in connection.execute(_last_tap_query(connection.dialect.name), parameters)
    }
    for student_id, at, direction in connection.execute(
        _last_hand_query(connection.dialect.name), parameters
    ):
        if student_id not in found or found[student_id].at < at:
            found[student_id] = LastSeen(at, direction, 0)
    return found


def _load_boarding(session: Session, boarders: Collection[int], known: Known) -> None:
    if not boarders:
        return
    wanted = select(Boarding.student_id, Boarding.from_on, Boarding.until_on).where(
        Boarding.student_id.in_(boarders)
    )
    for student_id, from_on, until_on in session.execute(wanted):
        known.boarding.setdefault(student_id, []).append((from_on, until_on))


_MARKS = {
    "leave": "leave_slip AS one WHERE one.school_id = g.school_id"
    " AND one.student_id = g.student_id AND one.from_at < :end AND one.until_at > :begin"
    " AND one.state = 'approved'",
    "correction": "correction AS one WHERE one.school_id = g.school_id"
    " AND one.student_id = g.student_id AND one.day BETWEEN :first AND :last"
    " AND one.ended_at IS NULL",
    "hand": "hand_passage AS one WHERE one.school_id = g.school_id"
    " AND one.student_id = g.student_id AND one.at >= :begin AND one.at < :end"
    " AND one.ended_at IS NULL",
    "exemption": "exemption AS one WHERE one.student_id = g.student_id"
    " AND one.from_on <= :last AND (one.until_on IS NULL OR one.until_on > :first)",
    "boarding": "boarding AS one WHERE one.student_id = g.student_id AND one.from_on <= :last",
}
"""What somebody may have on a day, each found by an index over students."""
_TAPS = (
    "SELECT one.id, one.occurred_at, one.reader_id, one.clock_suspect, one.direction,"
    " one.direction_by, one.effect FROM tap AS one WHERE one.school_id = g.school_id"
    " AND one.student_id = g.student_id AND one.occurred_at >= :begin AND one.occurred_at < :end"
    " AND one.effect IN ('arrival', 'departure', 'double')"
)
_LAST_TAP = (
    "FROM tap AS one WHERE one.school_id = g.school_id AND one.student_id = g.student_id"
    " AND one.occurred_at < :before AND one.effect IN ('arrival', 'departure')"
    " ORDER BY one.occurred_at DESC, one.id DESC LIMIT 1"
)
_LAST_HAND = (
    "FROM hand_passage AS one WHERE one.school_id = g.school_id"
    " AND one.student_id = g.student_id AND one.at < :before AND one.ended_at IS NULL"
    " ORDER BY one.at DESC, one.id DESC LIMIT 1"
)
_TIMES = UtcDateTime()

# PostgreSQL is told (LATERAL with OFFSET or LIMIT) to look each student up by the index: without
# statistics, as on a day's first taps, it would compare every student with every row of the day.


@cache
def _marks_query(dialect: str) -> TextualSelect:
    parts = []
    for kind, rows in _MARKS.items():
        select_ = f"SELECT '{kind}' AS kind, g.school_id, g.student_id FROM g"  # noqa: S608
        if dialect == "postgresql":
            parts.append(f"{select_} CROSS JOIN LATERAL (SELECT 1 FROM {rows} LIMIT 1) AS found")  # noqa: S608
        else:
            parts.append(f"{select_} WHERE EXISTS (SELECT 1 FROM {rows})")  # noqa: S608
    statement = text(f"{_given(dialect)} {' UNION ALL '.join(parts)}")
    return statement.bindparams(
        bindparam("first", type_=Date()),
        bindparam("last", type_=Date()),
        bindparam("begin", type_=_TIMES),
        bindparam("end", type_=_TIMES),
    ).columns()


@cache
def _taps_query(dialect: str) -> TextualSelect:
    if dialect == "postgresql":
        body = f"SELECT g.student_id, one.* FROM g CROSS JOIN LATERAL ({_TAPS} OFFSET 0) AS one"  # noqa: S608
    else:
        joined = _TAPS.replace("SELECT", "SELECT g.student_id,", 1)
        body = joined.replace("FROM tap AS one WHERE", "FROM g CROSS JOIN tap AS one WHERE")
    statement = text(f"{_given(dialect)} {body}")
    return statement.bindparams(
        bindparam("begin", type_=_TIMES), bindparam("end", type_=_TIMES)
    ).columns(
        Tap.student_id,
        Tap.id,
        Tap.occurred_at,
        Tap.reader_id,
        Tap.clock_suspect,
        Tap.direction,
        Tap.direction_by,
        Tap.effect,
    )


@cache
def _last_tap_query(dialect: str) -> TextualSelect:
    columns = ("occurred_at", "direction", "reader_id")
    statement = _last_query(dialect, "tap", columns, _LAST_TAP)
    return statement.columns(Tap.student_id, Tap.occurred_at, Tap.direction, Tap.reader_id)


@cache
def _last_hand_query(dialect: str) -> TextualSelect:
    statement = _last_query(dialect, "hand_passage", ("at", "direction"), _LAST_HAND)
    return statement.columns(HandPassage.student_id, HandPassage.at, HandPassage.direction)


def _last_query(dialect: str, table: str, columns: Sequence[str], last: str) -> TextClause:
    """The last row of each student."""
    wanted = ", ".join(f"one.{name}" for name in columns)
    if dialect == "postgresql":
        joined = f"CROSS JOIN LATERAL (SELECT {wanted} {last}) AS one"
    else:
        this = f"one.school_id = g.school_id AND one.id = (SELECT one.id {last})"
        joined = f"JOIN {table} AS one ON {this}"
    statement = text(f"{_given(dialect)} SELECT g.student_id, {wanted} FROM g {joined}")  # noqa: S608
    return statement.bindparams(bindparam("before", type_=_TIMES))


def _given(dialect: str) -> str:
    """The students as a table `g`."""
    return f"WITH g AS (SELECT * FROM {given_clause(dialect, Tap, StudentKey.__struct_fields__)})"  # noqa: S608
