"""Who may call what: the table that the access matrix holds the application against."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from schema.tables.staff import Role
from tests.card_server.web.small_school import SmallSchool

D, S, H, T = Role.DISTRICT_ADMIN, Role.SCHOOL_ADMIN, Role.HOMEROOM_TEACHER, Role.SUBJECT_TEACHER
L, B, G, A = Role.LIBRARIAN, Role.LAB_TEACHER, Role.GATE_GUARD, Role.AUDITOR
EVERYBODY = frozenset(Role)
ADMINS = frozenset({D, S})

IGNORED = frozenset(
    {
        "account.log_in",
        "account.send_log_in",
        "files.static",
        "first_page",
        "health.health",
        "languages.switch",
        "set_up.send",
        "set_up.show",
        "themes.switch",
        "totp.ask",
        "totp.send_code",
    }
)
"""Routes that anybody may call, logged in or not."""
WHO_MAY: dict[str, frozenset[Role]] = {
    "account.choose_password": EVERYBODY,
    "account.end_others": EVERYBODY,
    "account.home": EVERYBODY,
    "account.log_out": EVERYBODY,
    "account.send_password": EVERYBODY,
    "account.show": EVERYBODY,
    "audit.show": ADMINS | {A},
    "audit.show_detail": ADMINS | {A},
    "board.show": frozenset({D, S, H, T}),
    "district.add": frozenset({D}),
    "district.enter": frozenset({D}),
    "district.leave": frozenset({D}),
    "district.show": frozenset({D}),
    "district.show_new": frozenset({D}),
    "live.events": EVERYBODY - {A},
    "outbox.show": frozenset({D, S, H}),
    "reader_settings.add": ADMINS,
    "reader_settings.change": ADMINS,
    "reader_settings.show": ADMINS,
    "reader_settings.show_new": ADMINS,
    "reader_settings.show_reader": ADMINS,
    "readers.show": frozenset({D, S, B, G}),
    "search.find": EVERYBODY - {A},
    "search.show": EVERYBODY - {A},
    "settings.add_homeroom": ADMINS,
    "settings.change_homeroom": ADMINS,
    "settings.remove_logo": ADMINS,
    "settings.send": ADMINS,
    "settings.send_logo": ADMINS,
    "settings.show": ADMINS,
    "settings.show_homeroom": ADMINS,
    "settings.show_homerooms": ADMINS,
    "settings.show_logo": EVERYBODY,
    "staff.add": ADMINS,
    "staff.change": ADMINS,
    "staff.disable": ADMINS,
    "staff.enable": ADMINS,
    "staff.renew_password": ADMINS,
    "staff.show": ADMINS,
    "staff.show_member": ADMINS,
    "staff.show_new": ADMINS,
    "staff.switch_code_off": ADMINS,
    "staff.unlock": ADMINS,
    "students.search": EVERYBODY - {A},
    "students.show_day": frozenset({D, S, H}),
    "students.show_search": EVERYBODY - {A},
    "taps.show": frozenset({D, S, H, B, G}),
    "tokens.make": ADMINS,
    "tokens.new": ADMINS,
    "tokens.revoke": ADMINS,
    "tokens.show": ADMINS,
    "totp.begin": EVERYBODY,
    "totp.confirm": EVERYBODY,
    "totp.picture": EVERYBODY,
    "totp.renew": EVERYBODY,
    "totp.show": EVERYBODY,
    "totp.switch_off": EVERYBODY,
    "webhooks.change": ADMINS,
    "webhooks.disable": ADMINS,
    "webhooks.enable": ADMINS,
    "webhooks.make": ADMINS,
    "webhooks.renew_secret": ADMINS,
    "webhooks.resend": ADMINS,
    "webhooks.show": ADMINS,
    "webhooks.show_new": ADMINS,
    "webhooks.show_webhook": ADMINS,
    "webhooks.test": ADMINS,
}
MAY_BE_ABSENT = frozenset({"settings.show_logo", "totp.picture"})
"""Pictures that are there only after something was done: 404 says nothing of who may."""


class World(Protocol):
    """What the matrix knows of its two schools."""

    admins: dict[int, int]
    webhooks: dict[int, int]
    tokens: dict[int, int]


OBJECTS: dict[str, Callable[[World, SmallSchool, str], object]] = {
    "delivery_id": lambda _world, _school, _whose: UUID(int=1),
    "homeroom_id": lambda _world, school, whose: school.homerooms[whose == "other class"],
    "reader_id": lambda _world, school, _whose: school.readers[0],
    "school_id": lambda _world, school, whose: 99 if whose == "other school" else school.id,
    "seq": lambda _world, _school, whose: 99 if whose == "other school" else 1,
    "staff_id": lambda world, school, _whose: world.admins[school.id],
    "student_id": lambda _world, school, whose: school.students[whose == "other class"],
    "token_id": lambda world, school, _whose: world.tokens[school.id],
    "webhook_id": lambda world, school, _whose: world.webhooks[school.id],
}
"""A value for each argument of a route: of the caller's own, of another class or school.

The district may enter any school, and entries of the audit log are numbered in each school anew:
for these two another's thing is one that does not exist.
"""
