"""A school of 3,000 students with a school year of taps, days and messages, written by SQL.

Rows lie in the order of their time, as ingest writes them.
"""

from datetime import datetime, timedelta

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests.harness.campus import make_campus

CODE = "big"
_STUDENTS = 3_000
_DAYS = 200
"""School days in a year: two taps of each student on each, 1.2 million."""
_TOLD_DAYS = 30
"""Days of which a message to a parent is there for each arrival."""

_TAPS = """
INSERT INTO tap (school_id, id, reader_id, boot, seq, uid, student_id, tapped_at, sent_at,
                 received_at, occurred_at, clock_suspect, decision, cards_version, direction,
                 direction_by, effect)
SELECT s.school_id, gen_random_uuid(), :reader, 1, row_number() OVER (), c.uid, s.id,
       at, at, at, at, false, 'admitted', 1, :direction, 'reader', :effect
FROM generate_series(0, :days - 1) AS back
CROSS JOIN student AS s
JOIN card_binding AS b ON b.student_id = s.id
JOIN card AS c ON c.id = b.card_id
CROSS JOIN LATERAL (
    SELECT CAST(:now AS timestamptz) - make_interval(days => back, mins => s.id % 60 + :ago) AS at
) AS moment
WHERE s.school_id = :school
ORDER BY at
"""
_ATTENDANCE = """
INSERT INTO attendance (school_id, day, student_id, homeroom_id, arrived_at, departed_at,
                        late_minutes)
SELECT s.school_id, CAST(at AT TIME ZONE 'Asia/Shanghai' AS date), s.id, s.homeroom_id, at, NULL,
       CASE WHEN s.id % 37 = 0 THEN 5 ELSE 0 END
FROM generate_series(0, :days - 1) AS back
CROSS JOIN student AS s
CROSS JOIN LATERAL (
    SELECT CAST(:now AS timestamptz) - make_interval(days => back, mins => s.id % 60 + 30) AS at
) AS moment
WHERE s.school_id = :school
ORDER BY at
"""
_COUNTS = """
INSERT INTO homeroom_day (school_id, homeroom_id, day, arrived, late, inside, late_sessions)
SELECT school_id, homeroom_id, day, count(*), count(*) FILTER (WHERE late_minutes > 0), count(*),
       count(*) FILTER (WHERE late_minutes > 0)
FROM attendance WHERE school_id = :school GROUP BY 1, 2, 3
"""
_PRESENCE = """
INSERT INTO presence (school_id, student_id, homeroom_id, is_inside, since_at, reader_id)
SELECT school_id, id, homeroom_id, true, :now, :reader FROM student WHERE school_id = :school
"""
_MESSAGES = """
INSERT INTO message (school_id, id, kind, student_id, guardian_id, body, state, provider, attempts,
                     segments, price, tried_at, tried_on, homeroom_id,
                     created_at, due_at, expires_at, changed_at)
SELECT s.school_id, gen_random_uuid(), 'arrival', s.id, s.id,
       '【一中】家长您好，您的孩子已进入学校。',
       CASE WHEN s.id % 50 = 0 THEN 'failed' ELSE 'accepted' END, 'console', 1,
       1, 45, occurred_at, CAST(occurred_at AT TIME ZONE 'Asia/Shanghai' AS date), s.homeroom_id,
       occurred_at, occurred_at, occurred_at + interval '30 minutes', occurred_at
FROM tap
JOIN student AS s ON s.id = tap.student_id
WHERE s.school_id = :school AND effect = 'arrival'
  AND occurred_at > CAST(:now AS timestamptz) - make_interval(days => :told)
"""
_COSTS = """
INSERT INTO message_cost_day (school_id, day, homeroom_id, kind, messages, segments, price)
SELECT school_id, tried_on, homeroom_id, kind, count(*), sum(segments), sum(price)
FROM message WHERE school_id = :school AND state = 'accepted' GROUP BY 1, 2, 3, 4
"""


def make_school_year(engine: Engine, now: datetime) -> int:
    """The school's id; everybody came on every day, and is inside now."""
    with Session(engine) as session:
        school = make_campus(session, CODE, students=_STUDENTS)
        values = {"school": school.school_id, "days": _DAYS, "told": _TOLD_DAYS, "now": now}
        came = {"reader": school.readers["gate-in"], "direction": "in", "effect": "arrival"}
        left = {"reader": school.readers["gate-out"], "direction": "out", "effect": "departure"}
        session.execute(text(_TAPS), values | came | {"ago": 30})
        earlier = {"now": now - timedelta(hours=14), "ago": 0}
        session.execute(text(_TAPS), values | left | earlier)
        session.execute(text(_ATTENDANCE), values)
        session.execute(text(_COUNTS), values)
        session.execute(text(_PRESENCE), values | came)
        session.execute(text(_MESSAGES), values)
        session.execute(text(_COSTS), values)
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return school.school_id
