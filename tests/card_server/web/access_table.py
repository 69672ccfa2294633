"""Who may call what: the table that the access matrix holds the application against."""

from collections.abc import Callable
from typing import Any

from schema.tables.staff import Role
from tests.card_server.web.small_school import SmallSchool

D, S, H, T = Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER
L, B, G, A = Role.LIBRARIAN, Role.LAB_TEACHER, Role.GATE_GUARD, Role.AUDITOR
EVERYBODY = frozenset(Role)

IGNORED = frozenset(
    {
        "account.log_in",
        "account.send_log_in",
        "files.static",
        "first_page",
        "health.health",
        "languages.switch",
    }
)
"""Routes that anybody may call, logged in or not."""
WHO_MAY: dict[str, frozenset[Role]] = {
    "account.choose_password": EVERYBODY,
    "account.home": EVERYBODY,
    "account.log_out": EVERYBODY,
    "account.send_password": EVERYBODY,
    "board.show": frozenset({D, S, H, T}),
    "live.events": EVERYBODY - {A},
    "outbox.show": frozenset({D, S, H}),
    "readers.show": frozenset({D, S, B, G}),
    "students.search": EVERYBODY - {A},
    "students.show_day": frozenset({D, S, H}),
    "students.show_search": EVERYBODY - {A},
    "taps.show": frozenset({D, S, H, B, G}),
}

OBJECTS: dict[str, Callable[[Any, SmallSchool, str], object]] = {
    "student_id": lambda world, school, whose: school.students[whose == "other class"],
    "homeroom_id": lambda world, school, whose: school.homerooms[whose == "other class"],
}
"""A value for each argument of a route: of the caller's own, of another class or school."""
