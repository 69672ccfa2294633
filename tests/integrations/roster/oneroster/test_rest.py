"""The client against a service on a real socket: the same roster, or a clear word why not."""

import gc
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from integrations.roster.oneroster import rest, rest_line
from integrations.roster.oneroster.findings import Trouble
from integrations.roster.oneroster.options import Options
from integrations.roster.oneroster.rest import read_rest
from integrations.roster.oneroster.rest_line import Access, SourceError
from integrations.roster.oneroster.tables import Version
from integrations.roster.protocol import GuardianEntry, Roster
from tests.harness.ports import free_port
from tests.integrations.roster.oneroster.packages import V1_1, found, only, place, read
from tests.integrations.roster.oneroster.service import (
    Answer,
    Record,
    Service,
    cut,
    fail,
    give,
    hang_up,
    serve,
    stall,
)

PATHS = {Version.V1_1: "/ims/oneroster/v1p1", Version.V1_2: "/ims/oneroster/rostering/v1p2"}
CSV = read(V1_1)


def link(id_: str, type_: str) -> Record:
    return {"href": f"http://elsewhere.invalid/{type_}s/{id_}", "sourcedId": id_, "type": type_}


def record(id_: str, **values: Any) -> Record:
    return {
        "sourcedId": id_,
        "status": "active",
        "dateLastModified": "2026-08-01T00:00:00.000Z",
        **values,
    }


def person(version: Version, id_: str, name: str, role: str, **values: Any) -> Record:
    values = {"familyName": name[:-1], "givenName": name[-1:], "enabledUser": True, **values}
    if version is Version.V1_1:
        return record(id_, role=role, orgs=[link("s1", "org")], password="Secret-7", **values)
    own = {"roleType": "primary", "role": role, "org": link("s1", "org")}
    return record(id_, roles=[own], userProfiles=[{"password": "Secret-7"}], **values)


def collections(version: Version) -> dict[str, list[Record]]:
    """The school of the CSV packages, as a service of that version has it."""
    year = {"startDate": "2026-09-01", "endDate": "2027-07-10", "schoolYear": "2027"}
    term = year | {"endDate": "2027-01-20", "parent": link("y1", "academicSession")}
    homeroom: Record = {
        "classType": "homeroom",
        "grades": ["07"],
        "course": link("c7", "course"),
        "school": link("s1", "org"),
        "terms": [link("t1", "academicSession")],
    }
    agents = [link("g1", "user"), link("g2", "user")]
    students: list[Record] = [
        {"identifier": "20260001", "agents": agents, "grades": ["07"]},
        {"identifier": "20260002", "agents": agents[:1], "grades": ["07"]},
    ]

    def enrollment(id_: str, class_id: str, user: str, role: str) -> Record:
        links = {"class": link(class_id, "class"), "user": link(user, "user")}
        return record(id_, role=role, primary=False, school=link("s1", "org"), **links)

    return {
        "orgs": [record("s1", name="实验中学", type="school", identifier="3101")],
        "academicSessions": [
            record("y1", title="2026", type="schoolYear", **year),
            record("t1", title="一", type="term", **term),
        ],
        "courses": [record("c7", title="班级", grades=["07"], org=link("s1", "org"))],
        "classes": [
            record("h1", title="七年级（1）班", **homeroom),
            record("h2", title="七年级（2）班", **homeroom),
            record("m1", title="数学", **(homeroom | {"classType": "scheduled"})),
        ],
        "users": [
            person(version, "u1", "张伟", "student", **students[0]),
            person(version, "u2", "欧阳娜", "student", **students[1]),
            person(version, "t9", "李明", "teacher"),
            person(version, "g1", "张强", "parent", sms="+8613800000001", phone="010-62770001"),
            person(version, "g2", "王芳", "guardian", sms="13800000002", agents=None),
        ],
        "demographics": [
            record("u1", birthDate="2013-05-06", sex="male"),
            record("u2", birthDate="2013-07-08", sex="female"),
            record("g1", birthDate="1980-01-02", sex="male"),
        ],
        "enrollments": [
            enrollment("e1", "h1", "u1", "student"),
            enrollment("e2", "h2", "u2", "student"),
            enrollment("e3", "m1", "u1", "student"),
            enrollment("e4", "h1", "t9", "teacher"),
        ],
    }


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(collections(Version.V1_2), PATHS[Version.V1_2]) as running:
        yield running


class Waits:
    """In the place of sleeping: keeps how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def people(roster: Roster) -> list[tuple[object, ...]]:
    """The students without the places where they stood."""
    fields = [f for f in CSV.students[0].__struct_fields__ if f not in ("file", "line")]
    return [tuple(getattr(student, f) for f in fields) for student in roster.students]


def trouble(service: Service, *answers: Answer, timeout_s: float = 5.0) -> SourceError:
    service.answer_with(*answers)
    with pytest.raises(SourceError) as caught:
        read_rest(service.access(timeout_s=timeout_s), wait=Waits())
    return caught.value


@pytest.mark.parametrize("version", [Version.V1_1, Version.V1_2])
def test_a_service_of_either_version_gives_the_same_school_as_its_files(version: Version) -> None:
    with Service(collections(version), PATHS[version]) as service:
        roster = read_rest(service.access(version))
    assert roster.findings == ()
    assert (roster.homerooms, people(roster)) == (CSV.homerooms, people(CSV))
    assert (roster.school_year, roster.is_whole) == (2026, True)
    assert (roster.students[1].file, roster.students[1].line) == ("users", 2)
    assert "Secret-7" not in repr(roster)
    assert roster.source == f"oneroster-rest-{version}"


def test_one_token_is_asked_for_with_the_scopes_for_reading_and_sent_each_time(
    service: Service,
) -> None:
    read_rest(service.access())
    assert service.tokens == ["token-1"]
    assert [scope.rpartition("/")[2] for scope in service.scopes] == [
        "roster-core.readonly",
        "roster-demographics.readonly",
    ]
    assert {asked.token for asked in service.asked} == {"token-1"}
    assert {asked.headers["Accept"] for asked in service.asked} == {"application/json"}


def test_scopes_and_place_of_the_service_can_be_others(service: Service) -> None:
    service.path = "/district/ims/oneroster/rostering/v1p2"
    url = f"{service.url}/district/ims/oneroster/rostering/v1p2/"
    roster = read_rest(service.access(url=url, scopes=("everything",)))
    assert people(roster) == people(CSV)
    assert service.scopes == ["everything"]


def pages(service: Service, collection: str) -> list[tuple[str, str]]:
    return [
        (asked.query["limit"], asked.query["offset"])
        for asked in service.asked
        if asked.collection == collection
    ]


def test_pages_go_on_until_the_total(service: Service) -> None:
    read_rest(service.access())
    assert pages(service, "users") == [("2", "0"), ("2", "2"), ("2", "4")]
    assert {asked.query["sort"] for asked in service.asked} == {"sourcedId"}


def test_pages_go_on_until_there_is_no_next_and_its_address_is_not_followed(
    service: Service,
) -> None:
    service.says_total, service.says_next = False, True
    assert people(read_rest(service.access())) == people(CSV)
    assert pages(service, "users") == [("2", "0"), ("2", "2"), ("2", "4")]


def test_pages_go_on_until_an_empty_one_if_the_service_says_nothing(service: Service) -> None:
    service.says_total = False
    assert people(read_rest(service.access(page_size=4))) == people(CSV)
    assert pages(service, "users") == [("4", "0"), ("4", "2"), ("4", "4"), ("4", "5")]


def test_a_service_without_pages_gives_all_at_once(service: Service) -> None:
    service.says_total, service.knows_pages, service.largest_page = False, False, 1000
    assert people(read_rest(service.access(page_size=1000))) == people(CSV)


@pytest.mark.parametrize(("says_total", "where"), [(True, "classes"), (False, "academicSessions")])
def test_endless_pages_come_to_an_end(service: Service, says_total: bool, where: str) -> None:
    service.knows_pages, service.says_total = False, says_total
    error = trouble(service)
    assert (error.kind, error.where) == (Trouble.ENDLESS, where)
    assert len(service.asked) < 10


def test_a_collection_without_end_is_given_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "MOST_RECORDS", 2)
    error = trouble(service)
    assert (error.kind, error.where) == (Trouble.ENDLESS, "classes")


def test_fewer_records_than_the_total_says_are_no_roster(service: Service) -> None:
    orgs = json.dumps({"orgs": service.collections["orgs"]}).encode()
    error = trouble(
        service, give(orgs, {"X-Total-Count": "3"}), give(b'{"orgs": []}', {"X-Total-Count": "3"})
    )
    assert (error.kind, error.where) == (Trouble.INCOMPLETE, "orgs")


def test_a_record_that_comes_twice_because_pages_shifted_counts_once(service: Service) -> None:
    users = service.collections["users"]
    service.collections["users"] = users[:2] + users[1:]
    roster = read_rest(service.access())
    assert (roster.findings, people(roster)) == ((), people(CSV))


def test_a_token_that_has_run_out_is_renewed_once(service: Service) -> None:
    service.answer_with(serve, fail(401))
    waits = Waits()
    assert people(read_rest(service.access(), wait=waits)) == people(CSV)
    assert service.tokens == ["token-1", "token-2"]
    assert [asked.token for asked in service.asked[:4]] == [
        "token-1",
        "token-1",
        "token-2",
        "token-2",
    ]
    assert waits.seconds == []


def test_a_token_that_is_refused_again_is_said_to_be(service: Service) -> None:
    error = trouble(service, fail(401), fail(401))
    assert (error.kind, error.where, error.status) == (Trouble.NOT_ALLOWED, "orgs", 401)
    assert len(service.asked) == 2


def test_a_client_that_is_not_known_gets_no_token(service: Service) -> None:
    service.refuses_tokens = True
    error = trouble(service)
    assert (error.kind, error.where) == (Trouble.NO_TOKEN, "token")
    assert service.asked == []


def test_too_many_requests_wait_as_long_as_asked(service: Service) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    service.answer_with(fail(429, {"Retry-After": "17"}), fail(429, {"Retry-After": later}))
    waits = Waits()
    assert people(read_rest(service.access(), wait=waits)) == people(CSV)
    assert waits.seconds[0] == 17
    assert 40 < waits.seconds[1] <= 50


def test_a_service_that_asks_to_come_tomorrow_is_not_waited_for(service: Service) -> None:
    error = trouble(service, fail(429, {"Retry-After": "86400"}))
    assert (error.kind, error.retry_after_s) == (Trouble.BUSY, 86_400)
    assert len(service.asked) == 1


@pytest.mark.parametrize("answer", [fail(500), fail(503), cut, hang_up])
def test_what_passes_is_tried_again_with_growing_pauses(service: Service, answer: Answer) -> None:
    service.answer_with(answer, serve, answer, answer)
    waits = Waits()
    assert people(read_rest(service.access(), wait=waits)) == people(CSV)
    assert waits.seconds == [1, 1, 2]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (fail(500), Trouble.FAILING),
        (fail(429), Trouble.BUSY),
        (cut, Trouble.CUT),
        (hang_up, Trouble.CUT),
    ],
)
def test_what_does_not_pass_is_given_up_after_five_attempts(
    service: Service, answer: Answer, kind: Trouble
) -> None:
    error = trouble(service, *[answer] * 9)
    assert (error.kind, error.where) == (kind, "orgs")
    assert len(service.asked) == 5


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (fail(403), Trouble.NOT_ALLOWED),
        (fail(404), Trouble.NOT_FOUND),
        (fail(400), Trouble.REFUSED),
        (fail(302, {"Location": "http://elsewhere.invalid/"}), Trouble.REFUSED),
        (give(b"<html>"), Trouble.UNREADABLE),
        (give(b"[]"), Trouble.UNREADABLE),
        (give(b"{}"), Trouble.UNREADABLE),
        (give(b'{"orgs": [1]}'), Trouble.UNREADABLE),
        (give(b'{"orgs": {}}'), Trouble.UNREADABLE),
        (give(b'{"orgs": "\xff"}'), Trouble.UNREADABLE),
    ],
)
def test_what_will_not_pass_is_said_at_once(
    service: Service, answer: Answer, kind: Trouble
) -> None:
    error = trouble(service, answer)
    assert (error.kind, error.where) == (kind, "orgs")
    assert len(service.asked) == 1


def test_an_answer_that_is_too_deep_is_unreadable(service: Service) -> None:
    gc.disable()  # else a finalizer may run where the stack is at its end
    try:
        error = trouble(service, give(b'{"orgs": ' + b"[" * 5000))
    finally:
        gc.enable()
    assert error.kind is Trouble.UNREADABLE


def test_silence_ends_at_the_time_out(service: Service) -> None:
    error = trouble(service, *[stall] * 5, timeout_s=0.2)
    assert (error.kind, len(service.asked)) == (Trouble.TOO_SLOW, 5)


def test_a_page_without_end_is_cut_off(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_line, "_LARGEST_PAGE", 100_000)
    assert trouble(service, give(b" " * 200_000)).kind is Trouble.TOO_BIG


def test_nobody_at_the_address_is_unreachable() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SourceError) as caught:
        read_rest(Access(url, f"{url}/token", "x", "y"), wait=Waits())
    assert (caught.value.kind, caught.value.where) == (Trouble.UNREACHABLE, "token")


@pytest.mark.parametrize("collection", ["courses", "demographics"])
def test_a_collection_that_is_not_offered_and_not_needed_is_done_without(
    service: Service, collection: str
) -> None:
    del service.collections[collection]
    roster = read_rest(service.access())
    assert len(roster.students) == 2
    kinds = {"courses": ["oneroster.file_needed"], "demographics": []}
    assert [finding.kind for finding in roster.findings] == kinds[collection]


def test_a_collection_that_is_needed_and_not_offered_is_no_roster(service: Service) -> None:
    del service.collections["enrollments"]
    assert trouble(service).where == "enrollments"


def test_changes_are_asked_for_by_date_and_laid_over_the_school(service: Service) -> None:
    guardian = service.collections["users"][3]
    guardian |= {"dateLastModified": "2026-10-01T06:00:00.000Z", "sms": "+8613900000001"}
    service.collections["users"][0] |= {
        "dateLastModified": "2026-10-01T06:00:00.000Z",
        "status": "tobedeleted",
    }
    since = datetime(2026, 10, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    roster = read_rest(service.access(), Options(known=CSV), since)
    filters = {asked.collection: asked.query.get("filter") for asked in service.asked}
    moment = "dateLastModified>'2026-10-01T00:00:00.000Z'"
    assert filters["users"] == filters["enrollments"] == filters["demographics"] == moment
    assert filters["orgs"] is filters["classes"] is None
    assert (roster.is_whole, roster.removed) == (False, ("20260001",))
    [entry] = roster.students
    new = GuardianEntry("张强", "父亲", ("+8613900000001", "+861062770001"), "g1")
    assert (entry.number, entry.guardians) == ("20260002", (new,))


def test_findings_name_the_collection_and_the_place_in_it(service: Service) -> None:
    service.collections["users"][1]["agents"] = [link("g7", "user")]
    roster = read_rest(service.access())
    assert place(only(roster, "agent_unknown")) == ("users", 2, "agentSourcedIds")
    assert not found(roster, "passwords")


def test_what_providers_write_otherwise_is_understood(service: Service) -> None:
    """As in the contracts of some: one `grade`, words in capitals, a link that is a bare id."""
    for user in service.collections["users"][:2]:
        user["grade"] = user.pop("grades")[0]
    for class_ in service.collections["classes"]:
        class_ |= {"grade": class_.pop("grades")[0], "school": "s1", "terms": "t1"}
    service.collections["demographics"][0]["sex"] = "Male"
    roster = read_rest(service.access())
    assert people(roster) == people(CSV)
    assert [finding.kind for finding in roster.findings] == ["oneroster.case"]


@pytest.mark.parametrize("url", ["http://roster.example.cn", "ftp://x", "roster.example.cn", ""])
def test_an_address_without_tls_is_refused(url: str) -> None:
    for values in ((url, "https://x/token"), ("https://x", url)):
        with pytest.raises(ValueError, match="https"):
            Access(*values, "client", "secret")


def test_sds_is_no_service() -> None:
    with pytest.raises(ValueError, match="version"):
        Access("https://x", "https://x/t", "client", "secret", Version.SDS)


def test_the_secret_is_in_no_message(service: Service) -> None:
    service.refuses_tokens = True
    assert "a-secret" not in f"{trouble(service)!r} {service.access()!r}"
