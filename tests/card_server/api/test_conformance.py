"""What the document promises holds for whatever may be sent, by schemathesis, role by role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from card_server.storage.database import open_engine, open_sessions
from card_server.web.app import close_app, create_app
from schema.messages import Refusal
from schema.tables.messages import MessageState
from schema.tables.staff import Role
from tests.card_server.api.programs import Program, add_hook, grants_of, make_program
from tests.card_server.api.recomputations import add_trial
from tests.card_server.api.rosters import add_roster
from tests.card_server.web.conftest import make_settings
from tests.card_server.web.leave_things import add_leave_things
from tests.card_server.web.small_school import add_job, add_message, add_tap, make_school
from tests.harness.postgres import Postgres

load_all_checks()
Operation = APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]
_FEW, _MANY = 5, 40
_RULES = {"DELETE", "PATCH", "POST", "PUT"}
"""Beyond their schema they have rules that no schema can tell: which time zones there are,
what If-Match names."""


@dataclass(frozen=True)
class Filled:
    """A school where something happened, a program of each role, and ids that are there."""

    operations: list[Operation]
    programs: dict[Role, Program]
    known: dict[str, object]


@pytest.fixture(scope="module")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    path = tmp_path_factory.mktemp("conformance") / "campus.db"
    path.write_bytes(sqlite_template.read_bytes())
    with _fill(f"sqlite:///{path}") as made:
        yield made


@pytest.fixture(scope="module")
def filled_on_postgres(postgres: Postgres) -> Iterator[Filled]:
    with _fill(postgres.create_database("migrated")) as made:
        yield made


@contextmanager
def _fill(url: str) -> Iterator[Filled]:
    engine = open_engine(url)
    sessions = open_sessions(engine)
    with sessions.begin() as session:
        school = make_school(session)
        for one in range(len(school.students)):
            add_tap(session, school, one, late_minutes=one)
            add_message(session, school, one, list(MessageState)[one % 6])
        add_tap(session, school, None, reason=Refusal.UNKNOWN)
        add_leave_things(session, school, 0)
        job = add_job(session, school)
        roster = add_roster(session, school)
        trial = add_trial(session, school)
    hook = add_hook(sessions, school)
    limits = make_settings(url).model_copy(update={"api_per_minute": 1_000_000})
    app = create_app(limits, engine)
    grants = grants_of(school)
    known: dict[str, object] = {
        "student_id": school.students[0],
        "homeroom_id": school.homerooms[0],
        "guardian_id": school.guardians[0],
        "term_id": school.terms[0],
        "timetable_id": school.timetables[0],
        "entry_id": school.entries[0],
        "slip_id": school.slips[0],
        "correction_id": school.corrections[0],
        "day_note_id": school.day_notes[0],
        "exemption_id": school.exemptions[0],
        "passage_id": school.passages[0],
        "campus_id": school.campuses[0],
        "reader_id": school.readers[0],
        "staff_id": 1,
        "webhook_id": hook.id,
        "delivery_id": str(hook.delivery),
        "import_id": roster,
        "recomputation_id": trial,
        "seq": 1,
    }
    programs = {role: make_program(app, sessions, school, grants[role]) for role in Role}
    known["job_id"] = job
    known["token_id"] = make_program(app, sessions, school, grants[Role.AUDITOR]).id
    yield Filled(_operations(app), programs, known)
    close_app(app)
    engine.dispose()


def _operations(app: Flask) -> list[Operation]:
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    # Without this it sends tokens of its own making instead.
    document.config.generation.update(with_security_parameters=False)
    return [one.ok() for one in document.get_all_operations() if isinstance(one, Ok)]


@pytest.mark.parametrize("role", Role)
def test_a_role_finds_what_the_document_promises(filled: Filled, role: Role) -> None:
    """Each operation is tried in every way by one of its roles, and once by every other role."""
    for number, operation in enumerate(filled.operations):
        roles = operation.definition.raw["x-roles"]
        if role.value == roles[number % len(roles)]:
            _try_all_ways(filled, operation, role, _FEW)
        else:
            _try(filled, operation, role, 1, _modes(operation)[-1])


@pytest.mark.faults
@pytest.mark.parametrize("role", Role)
def test_a_role_finds_what_the_document_promises_after_many_tries(
    filled_on_postgres: Filled, role: Role
) -> None:
    for operation in filled_on_postgres.operations:
        _try_all_ways(filled_on_postgres, operation, role, _MANY)


def test_the_document_has_operations_and_each_somebody_who_may(filled: Filled) -> None:
    assert len(filled.operations) > 20
    assert all(operation.definition.raw["x-roles"] for operation in filled.operations)


def _try_all_ways(filled: Filled, operation: Operation, role: Role, times: int) -> None:
    for mode in _modes(operation):
        _try(filled, operation, role, times, mode)


def _modes(operation: Operation) -> list[GenerationMode]:
    """What should be accepted; what should not, where there is anything to get wrong.

    Any text may stand in If-Match, and no schema tells what a picture is.
    """
    raw = operation.definition.raw
    asked = [one for one in raw["parameters"] if not one.get("$ref", "").endswith("IfMatch")]
    can_be_wrong = asked or "application/json" in raw.get("requestBody", {}).get("content", {})
    return list(GenerationMode) if can_be_wrong else [GenerationMode.POSITIVE]


def _try(
    filled: Filled, operation: Operation, role: Role, times: int, mode: GenerationMode
) -> None:
    """Call one operation often; each answer must be one that the document has."""
    may = role.value in operation.definition.raw["x-roles"]
    headers = {"Authorization": f"Bearer {filled.programs[role].token}"}
    has_rules = operation.method.upper() in _RULES
    in_use = {program.id for program in filled.programs.values()}
    excluded: Any = [CHECKS.get_one("positive_data_acceptance")] if has_rules else []

    @settings(
        max_examples=times if may else 1,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def call(case: Case, is_known: bool) -> None:
        if mode is GenerationMode.POSITIVE and is_known:
            ids = {name: filled.known.get(name, one) for name, one in case.path_parameters.items()}
            case.path_parameters |= ids
        if case.path_parameters.get("token_id") in in_use:
            return
        answer = case.call_and_validate(headers=headers, excluded_checks=excluded)
        assert answer.status_code < 500
        assert answer.status_code != 401
        assert may or answer.status_code == 403

    call()
