"""Staff in the hands of administrators: nobody gives more than they hold, nobody is shut out."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from card_server.audit.writing import Actor
from card_server.errors import AppError, Code
from card_server.field_errors import FieldsError
from card_server.seen import fingerprint
from card_server.staff import accounts
from card_server.staff import administration as rules
from card_server.staff.administration import Administrator
from card_server.staff.scope import WHOLE_SCHOOL, Grant, narrow
from card_server.staff.sessions import find_caller, open_staff_session
from schema.tables.audit import AuditEntry
from schema.tables.school import Homeroom, School
from schema.tables.staff import Role, Scope, Staff, StaffSession

NOW = datetime(2026, 9, 1, tzinfo=UTC)
GUARD = Grant(Role.GATE_GUARD, Scope.GATE, place="东门")
LIBRARIAN = Grant(Role.LIBRARIAN, Scope.SCHOOL)
DISTRICT = Grant(Role.DISTRICT_ADMIN, Scope.DISTRICT)


@dataclass
class Place:
    """Two schools: the own one with its first administrator, and another."""

    id: int
    other_id: int
    room: int
    other_room: int
    admin: Administrator


@pytest.fixture
def place(sessions: sessionmaker[Session]) -> Place:
    with sessions.begin() as session:
        own = School(code="no1", name="第一中学", signature="一中")
        other = School(code="no2", name="第二中学", signature="二中")
        session.add_all([own, other])
        session.flush()
        rooms = [Homeroom(school_id=one.id, grade=7, name="初一(1)班") for one in (own, other)]
        session.add_all(rooms)
        accounts.create_staff(session, own.id, "admin", "王老师", WHOLE_SCHOOL)
        session.flush()
        admin = _administrator(session, "admin", WHOLE_SCHOOL)
        return Place(own.id, other.id, rooms[0].id, rooms[1].id, admin)


@pytest.fixture
def session(sessions: sessionmaker[Session], place: Place) -> Iterator[Session]:
    with sessions.begin() as session:
        yield session


def _administrator(session: Session, login: str, *grants: Grant) -> Administrator:
    staff_id = session.scalars(select(Staff.id).where(Staff.login == login)).one()
    return Administrator(Actor("staff", staff_id, login, "127.0.0.1"), staff_id, grants)


def _add(session: Session, place: Place, login: str = "li", *grants: Grant) -> int:
    given = grants or (GUARD,)
    return rules.add_staff(session, place.admin, place.id, login, "李老师", given).id


def test_a_new_account_logs_in_by_its_one_time_password(session: Session, place: Place) -> None:
    made = rules.add_staff(session, place.admin, place.id, " Li ", "李  老师", [GUARD, LIBRARIAN])
    staff = accounts.log_in(session, "li", made.one_time_password)
    assert (staff.id, staff.login, staff.name) == (made.id, "li", "李 老师")
    assert staff.password_is_one_time
    member = rules.find_member(session, place.id, made.id)
    assert member.grants == (GUARD, LIBRARIAN)


@pytest.mark.parametrize(
    ("login", "name", "fields"),
    [
        ("", "李老师", {"login"}),
        ("li li", "李老师", {"login"}),
        ("l" * 61, "李老师", {"login"}),
        ("li", "", {"name"}),
        ("li", "\u200b", {"name"}),
        ("li", "名" * 61, {"name"}),
        ("admin", "李老师", {"login"}),
        ("ADMIN", "李老师", {"login"}),
        ("", "", {"login", "name", "grants"}),
    ],
)
def test_what_is_wrong_is_said_field_by_field(
    session: Session, place: Place, login: str, name: str, fields: set[str]
) -> None:
    grants = [] if "grants" in fields else [GUARD]
    with pytest.raises(FieldsError) as caught:
        rules.add_staff(session, place.admin, place.id, login, name, grants)
    assert set(caught.value.fields) == fields
    assert len(rules.list_staff(session, place.id)) == 1


def test_a_login_is_the_only_one_on_the_server(
    sessions: sessionmaker[Session], place: Place
) -> None:
    """Although a page's session cannot see the other school's accounts."""
    with sessions.begin() as unlimited:
        accounts.create_staff(unlimited, place.other_id, "zhao", "赵老师", WHOLE_SCHOOL)
    with sessions.begin() as limited:
        narrow(limited, place.id, [WHOLE_SCHOOL])
        with pytest.raises(FieldsError, match="taken"):
            _add(limited, place, "zhao")
        assert _add(limited, place, "zhao2")


def test_a_homeroom_of_another_school_cannot_be_given(session: Session, place: Place) -> None:
    _add(session, place, "li", Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=place.room))
    for room in (place.other_room, 999_999):
        teacher = Grant(Role.HOMEROOM_TEACHER, Scope.HOMEROOM, homeroom_id=room)
        with pytest.raises(FieldsError, match="homeroom"):
            _add(session, place, "qian", teacher)


@pytest.mark.parametrize(
    ("held", "wanted", "may"),
    [
        (WHOLE_SCHOOL, WHOLE_SCHOOL, True),
        (WHOLE_SCHOOL, GUARD, True),
        (WHOLE_SCHOOL, Grant(Role.AUDITOR, Scope.SCHOOL), True),
        (WHOLE_SCHOOL, DISTRICT, False),
        (WHOLE_SCHOOL, Grant(Role.AUDITOR, Scope.DISTRICT), False),
        (DISTRICT, WHOLE_SCHOOL, True),
        (LIBRARIAN, LIBRARIAN, True),
        (LIBRARIAN, WHOLE_SCHOOL, False),
        (GUARD, Grant(Role.GATE_GUARD, Scope.SCHOOL), False),
        (GUARD, Grant(Role.GATE_GUARD, Scope.GATE, place="西门"), False),
    ],
    ids=str,
)
def test_nobody_gives_more_than_they_hold(
    session: Session, place: Place, held: Grant, wanted: Grant, may: bool
) -> None:
    by = Administrator(place.admin.actor, place.admin.staff_id, (held,))
    if may:
        assert rules.add_staff(session, by, place.id, "li", "李老师", [wanted])
        return
    with pytest.raises(AppError) as caught:
        rules.add_staff(session, by, place.id, "li", "李老师", [wanted])
    assert caught.value.code is Code.NOT_ALLOWED
    assert len(rules.list_staff(session, place.id)) == 1


def test_nobody_takes_or_touches_more_than_they_hold(session: Session, place: Place) -> None:
    staff_id = _add(session, place, "li", WHOLE_SCHOOL)
    by = Administrator(place.admin.actor, place.admin.staff_id, (LIBRARIAN,))
    changes: list[Callable[[], object]] = [
        lambda: rules.change_staff(session, by, place.id, staff_id, "李老师", [LIBRARIAN]),
        lambda: rules.disable_staff(session, by, place.id, staff_id, NOW),
        lambda: rules.enable_staff(session, by, place.id, staff_id),
        lambda: rules.renew_password(session, by, place.id, staff_id),
        lambda: rules.unlock_staff(session, by, place.id, staff_id),
        lambda: rules.switch_code_off(session, by, place.id, staff_id),
    ]
    for change in changes:
        with pytest.raises(AppError) as caught:
            change()
        assert caught.value.code is Code.NOT_ALLOWED
    assert rules.find_member(session, place.id, staff_id).grants == (WHOLE_SCHOOL,)


def test_the_only_administrator_stays_one(session: Session, place: Place) -> None:
    only = place.admin.staff_id
    somebody = Administrator(place.admin.actor, _add(session, place), (WHOLE_SCHOOL,))
    with pytest.raises(AppError, match="only administrator"):
        rules.change_staff(session, place.admin, place.id, only, "王老师", [GUARD])
    with pytest.raises(AppError, match="only administrator"):
        rules.disable_staff(session, somebody, place.id, only, NOW)
    second = _add(session, place, "second", WHOLE_SCHOOL)
    rules.disable_staff(session, place.admin, place.id, second, NOW)
    with pytest.raises(AppError, match="only administrator"):
        rules.disable_staff(session, somebody, place.id, only, NOW)
    rules.enable_staff(session, place.admin, place.id, second)
    rules.disable_staff(session, somebody, place.id, only, NOW)
    assert rules.find_member(session, place.id, only).disabled_at == NOW


def test_two_administrators_cannot_disable_each_other_at_once(
    sessions: sessionmaker[Session], place: Place
) -> None:
    with sessions.begin() as session:
        second = _add(session, place, "second", WHOLE_SCHOOL)
    first = place.admin.staff_id
    both_are_here = threading.Barrier(2)

    def disable(by_id: int, other_id: int) -> bool:
        by = Administrator(Actor("staff", by_id, "", ""), by_id, (WHOLE_SCHOOL,))
        both_are_here.wait(10)
        try:
            with sessions.begin() as session:
                rules.disable_staff(session, by, place.id, other_id, NOW)
        except AppError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(disable, (first, second), (second, first)))
    assert sorted(done) == [False, True]
    with sessions() as session:
        members = rules.list_staff(session, place.id)
        assert [one.disabled_at is None for one in members] == [True, False]


def test_an_administrator_of_another_school_does_not_count(
    sessions: sessionmaker[Session], place: Place
) -> None:
    with sessions.begin() as unlimited:
        accounts.create_staff(unlimited, place.other_id, "zhao", "赵老师", WHOLE_SCHOOL)
        with pytest.raises(AppError, match="only administrator"):
            rules.change_staff(
                unlimited, place.admin, place.id, place.admin.staff_id, "王老师", [GUARD]
            )


def test_nobody_disables_themselves_or_goes_around_their_own_password(
    session: Session, place: Place
) -> None:
    _add(session, place, "second", WHOLE_SCHOOL)
    own = place.admin.staff_id
    for change in (
        lambda: rules.disable_staff(session, place.admin, place.id, own, NOW),
        lambda: rules.renew_password(session, place.admin, place.id, own),
        lambda: rules.switch_code_off(session, place.admin, place.id, own),
    ):
        with pytest.raises(AppError) as caught:
            change()
        assert caught.value.code is Code.NOT_ALLOWED


def test_disabling_ends_the_sessions_and_enabling_gives_the_account_back(
    session: Session, place: Place
) -> None:
    made = rules.add_staff(session, place.admin, place.id, "li", "李老师", [GUARD])
    staff = session.get_one(Staff, made.id)
    token = open_staff_session(session, staff, NOW)
    rules.disable_staff(session, place.admin, place.id, made.id, NOW)
    assert session.scalars(select(StaffSession)).all() == []
    assert find_caller(session, token, NOW) is None
    with pytest.raises(AppError):
        accounts.log_in(session, "li", made.one_time_password)
    rules.enable_staff(session, place.admin, place.id, made.id)
    assert accounts.log_in(session, "li", made.one_time_password).id == made.id


def test_a_renewed_password_is_the_only_one(session: Session, place: Place) -> None:
    made = rules.add_staff(session, place.admin, place.id, "li", "李老师", [GUARD])
    token = open_staff_session(session, session.get_one(Staff, made.id), NOW)
    renewed = rules.renew_password(session, place.admin, place.id, made.id)
    assert find_caller(session, token, NOW) is None
    with pytest.raises(AppError):
        accounts.log_in(session, "li", made.one_time_password)
    assert accounts.log_in(session, "li", renewed.one_time_password).id == made.id


def test_a_change_counts_from_the_next_request_on(session: Session, place: Place) -> None:
    staff_id = _add(session, place, "li", GUARD)
    token = open_staff_session(session, session.get_one(Staff, staff_id), NOW)
    assert rules.change_staff(
        session, place.admin, place.id, staff_id, "李梅", [LIBRARIAN, WHOLE_SCHOOL]
    )
    caller = find_caller(session, token, NOW)
    assert caller is not None
    assert (caller.name, set(caller.grants)) == ("李梅", {LIBRARIAN, WHOLE_SCHOOL})


def test_two_administrators_do_not_overwrite_each_other(session: Session, place: Place) -> None:
    staff_id = _add(session, place, "li", GUARD)
    seen = fingerprint(rules.find_member(session, place.id, staff_id).shown())
    change = rules.change_staff
    assert change(session, place.admin, place.id, staff_id, "李梅", [GUARD], seen)
    with pytest.raises(AppError) as caught:
        change(session, place.admin, place.id, staff_id, "李兰", [GUARD], seen)
    assert caught.value.code is Code.CONFLICT
    assert rules.find_member(session, place.id, staff_id).name == "李梅"


def test_every_change_is_noted_once_and_what_changes_nothing_is_not(
    sessions: sessionmaker[Session], place: Place
) -> None:
    with sessions.begin() as session:
        staff_id = _add(session, place, "li", GUARD)
    by, school_id = place.admin, place.id
    with sessions.begin() as session:
        assert not rules.change_staff(session, by, school_id, staff_id, "李老师", [GUARD])
        rules.enable_staff(session, by, school_id, staff_id)
    with sessions.begin() as session:
        rules.change_staff(session, by, school_id, staff_id, "李老师", [GUARD, LIBRARIAN])
        rules.disable_staff(session, by, school_id, staff_id, NOW)
        rules.disable_staff(session, by, school_id, staff_id, NOW)
        rules.enable_staff(session, by, school_id, staff_id)
        rules.renew_password(session, by, school_id, staff_id)
    with sessions() as session:
        noted = session.execute(
            select(AuditEntry.action, AuditEntry.subject, AuditEntry.actor_id)
            .where(AuditEntry.school_id == school_id)
            .order_by(AuditEntry.seq)
        ).all()
    what = ["made", "changed", "disabled", "enabled", "password_renewed"]
    assert [tuple(one) for one in noted] == [
        (f"staff.{one}", f"staff:{staff_id}", by.staff_id) for one in what
    ]


def test_staff_of_another_school_are_not_there(
    sessions: sessionmaker[Session], place: Place
) -> None:
    with sessions.begin() as unlimited:
        accounts.create_staff(unlimited, place.other_id, "zhao", "赵老师", LIBRARIAN)
        other = _administrator(unlimited, "zhao").staff_id
        by, own = place.admin, place.id
        for change in (
            lambda: rules.find_member(unlimited, own, other),
            lambda: rules.change_staff(unlimited, by, own, other, "x", [GUARD]),
            lambda: rules.disable_staff(unlimited, by, own, other, NOW),
            lambda: rules.enable_staff(unlimited, by, own, other),
            lambda: rules.renew_password(unlimited, by, own, other),
            lambda: rules.unlock_staff(unlimited, by, own, other),
            lambda: rules.switch_code_off(unlimited, by, own, other),
        ):
            with pytest.raises(AppError) as caught:
                change()
            assert caught.value.code is Code.NOT_FOUND


def test_a_school_is_opened_with_its_administrator_or_not_at_all(
    sessions: sessionmaker[Session], place: Place
) -> None:
    by = Administrator(place.admin.actor, place.admin.staff_id, (DISTRICT,))
    values = {
        "code": "no3",
        "name": "第三中学",
        "signature": "三中",
        "zone": "Asia/Shanghai",
        "login": "sun",
        "admin_name": "孙老师",
    }

    def attempt(**changes: str) -> set[str]:
        with pytest.raises(FieldsError) as caught, sessions.begin() as session:
            rules.open_school(session, by, **values | changes)
        return set(caught.value.fields)

    assert attempt(code="No 3", login="") == {"code", "login"}
    assert attempt(code="no1") == {"code"}
    assert attempt(login="admin") == {"login"}
    with pytest.raises(AppError, match="may do yourself"), sessions.begin() as session:
        rules.open_school(session, place.admin, **values)
    with sessions() as session:
        assert session.scalars(select(School.code).order_by(School.id)).all() == ["no1", "no2"]
    with sessions.begin() as session:
        school, made = rules.open_school(session, by, **values)
        assert accounts.log_in(session, "sun", made.one_time_password).school_id == school.id
        assert rules.find_member(session, school.id, made.id).grants == (WHOLE_SCHOOL,)
