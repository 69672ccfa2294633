"""What a roster changes: who is whom, who is new, changed, moved, gone, and what stops it."""

from typing import Any

import pytest

from card_server.imports.roster.difference import compare
from card_server.imports.roster.kinds import Kind
from card_server.imports.roster.plan import Change, Difference
from card_server.imports.roster.present import Present
from integrations.roster.protocol import (
    GuardianEntry,
    HomeroomEntry,
    Roster,
    Sex,
    Status,
    StudentEntry,
)
from schema.tables.people import StudentStatus
from tests.card_server.imports.roster.rosters import (
    OTHER,
    entry,
    guardian,
    hash_,
    known,
    mother,
    roster,
    school,
    tie,
)

GIRL, BOY = "11010120140101002X", "110101201401010011"


def differ(given: Roster | list[StudentEntry], present: Present) -> Difference:
    wanted = roster(given) if isinstance(given, list) else given
    return compare(wanted, present, hash_, 2026)


def kinds(found: Difference) -> list[str]:
    return [str(one.kind) for one in found.findings]


def test_a_new_school_has_everybody_new() -> None:
    found = differ([entry("1"), entry("2", "李四")], Present(None))
    assert (found.counts.new, found.counts.homerooms_new) == (2, 2)
    assert found.plan.school_year == 2026


def test_the_school_as_the_roster_says_is_unchanged() -> None:
    present = school([known(ties=(tie(),))], [guardian()])
    found = differ([entry(guardians=(mother(),))], present)
    assert found.plan.is_empty
    assert found.counts.unchanged == 1


def test_what_the_source_does_not_say_stays() -> None:
    present = school([known(sex="female", registry="G1", is_boarding=True)])
    assert differ([entry()], present).plan.is_empty
    assert differ([entry(sex=Sex.UNKNOWN)], present).plan.is_empty


def test_who_boards_from_a_coming_day_on_begins_then_and_not_with_the_file() -> None:
    present = school([known(is_going_to_board=True)])
    assert differ([entry(is_boarding=True)], present).plan.is_empty
    assert differ([entry(is_boarding=False)], present).plan.is_empty


@pytest.mark.parametrize(
    ("more", "change"),
    [
        ({"name": "张叁"}, Change("name", "张三", "张叁")),
        ({"sex": Sex.FEMALE}, Change("sex", "unknown", "female")),
        ({"homeroom": OTHER.name}, Change("homeroom", "七年级(1)班", "七年级(2)班")),
        ({"status": Status.SUSPENDED}, Change("status", "enrolled", "suspended")),
        ({"is_boarding": True}, Change("is_boarding", "no", "yes")),
        ({"identity": GIRL}, Change("identity", "", "••••002X")),
        ({"registry": "G" + GIRL}, Change("registry", "", "••••002X")),
    ],
)
def test_each_field_that_changes_is_named_with_before_and_after(
    more: dict[str, Any], change: Change
) -> None:
    found = differ([entry(**{"number": "1", **more})], school([known()]))
    assert found.plan.students[0].changes == (change,)
    assert found.counts.changed == 1
    assert found.counts.moved == ("homeroom" in more)


def test_a_changed_number_is_known_by_the_identity_and_said() -> None:
    present = school([known(number="9", identity_hash=hash_(GIRL), identity_tail="002X")])
    found = differ([entry("1", identity=GIRL)], present)
    assert kinds(found) == [Kind.NUMBER_CHANGED]
    assert not found.has_errors
    assert found.plan.students[0].id == 1
    assert Change("number", "9", "1") in found.plan.students[0].changes
    assert found.counts.gone == 0


def test_a_changed_number_is_known_by_the_sources_id_first() -> None:
    present = school([known(number="9", sourced_id="s1")])
    assert differ([entry("1", sourced_id="s1")], present).plan.students[0].id == 1


def test_a_number_of_somebody_else_stops_the_import() -> None:
    present = school([known(identity_hash=hash_(GIRL), identity_tail="002X")])
    found = differ([entry(name="李四", identity=BOY)], present)
    assert kinds(found) == [Kind.NUMBER_OF_ANOTHER]
    assert found.has_errors
    assert (found.findings[0].line, found.findings[0].field) == (2, "number")


def test_another_identity_under_the_same_name_is_a_correction_and_said() -> None:
    present = school([known(identity_hash=hash_(GIRL), identity_tail="002X")])
    found = differ([entry(identity=BOY)], present)
    assert kinds(found) == [Kind.IDENTITY_CHANGED]
    assert not found.has_errors


def test_the_identity_of_another_student_stops_the_import() -> None:
    present = school([known(), known(2, "2", "李四", identity_hash=hash_(GIRL))])
    found = differ([entry(identity=GIRL)], present)
    assert found.has_errors
    assert Kind.NUMBER_OF_ANOTHER in kinds(found)


def test_two_rows_that_mean_one_student_stop_the_import() -> None:
    present = school([known(identity_hash=hash_(GIRL), identity_tail="002X")])
    found = differ([entry("1"), entry("2", identity=GIRL)], present)
    assert Kind.STUDENT_TWICE in kinds(found)


def test_whom_a_whole_roster_does_not_name_is_gone_and_a_delta_takes_whom_it_says() -> None:
    present = school([known(), known(2, "2", "李四"), known(3, "3", "王五", is_gone=True)])
    assert [one.number for one in differ([entry()], present).plan.gone] == ["2"]
    delta = roster([entry()], is_whole=False)
    assert differ(delta, present).plan.gone == ()
    taking = roster([], is_whole=False, removed=("2",))
    assert [one.number for one in differ(taking, present).plan.gone] == ["2"]


def test_who_has_left_is_not_gone_again_and_stays_away_until_the_source_says_otherwise() -> None:
    left = known(status=StudentStatus.TRANSFERRED)
    assert differ(roster([entry("2", "李四")]), school([left])).plan.gone == ()
    named = differ([entry(homeroom=OTHER.name)], school([left]))
    assert kinds(named) == [Kind.AWAY]
    assert named.plan.is_empty
    back = differ([entry(homeroom=OTHER.name, status=Status.ENROLLED)], school([left]))
    assert (back.plan.students[0].status, back.plan.students[0].was_away) == ("enrolled", True)


def test_who_comes_back_into_the_roster_is_said_to() -> None:
    found = differ([entry()], school([known(is_gone=True)]))
    assert found.counts.back == 1
    assert found.plan.students[0].is_back


def test_who_left_before_the_school_knew_them_is_left_out() -> None:
    found = differ([entry(status=Status.GRADUATED)], school())
    assert kinds(found) == [Kind.NEW_BUT_AWAY]
    assert found.plan.is_empty


def test_a_roster_of_another_year_stops_the_import() -> None:
    found = differ(roster([entry()], school_year=2025), school())
    assert Kind.YEAR_OTHER in kinds(found)
    assert found.has_errors


def test_an_empty_whole_roster_stops_the_import() -> None:
    assert Kind.NOBODY in kinds(differ(roster([]), school([known()])))


@pytest.mark.parametrize("written", ["初一(1)班", "七年级1班", "0701", "七(1)班"])
def test_a_homeroom_in_another_writing_is_the_same_and_keeps_its_name(written: str) -> None:
    rooms = (HomeroomEntry(written, 7),)
    found = differ(roster([entry(homeroom=written)], homerooms=rooms), school([known()]))
    assert found.plan.is_empty


def test_a_homeroom_of_another_kind_with_the_same_number_is_another() -> None:
    rooms = (HomeroomEntry("七年级实验1班", 7),)
    found = differ(roster([entry(homeroom=rooms[0].name)], homerooms=rooms), school([known()]))
    assert (found.counts.homerooms_new, found.counts.moved) == (1, 1)


def test_siblings_share_a_guardian_by_number_and_name() -> None:
    rows = [entry("1", guardians=(mother(),)), entry("2", "张四", guardians=(mother(),))]
    found = differ(rows, school())
    assert len(found.plan.guardians) == 1
    assert len(found.plan.ties) == 2
    third = differ([entry("3", "张五", guardians=(mother(),))], school([], [guardian(7)]))
    assert third.plan.guardians == ()
    assert third.plan.ties[0].guardian_id == 7


def test_two_parents_with_one_number_are_two() -> None:
    father = GuardianEntry("张伟", "父亲", ("+8613800138000",))
    found = differ([entry(guardians=(father, mother()))], school())
    assert len(found.plan.guardians) == 2


def test_a_guardians_new_number_takes_the_place_of_the_old_one() -> None:
    present = school([known(ties=(tie(),))], [guardian()])
    found = differ([entry(guardians=(mother(phone="+8613900139000"),))], present)
    [plan] = found.plan.guardians
    assert (plan.id, plan.phone, plan.further) == (1, "+8613900139000", ())
    assert found.plan.ties == ()
    [change] = found.plan.students[0].changes
    assert change == Change("guardian_phone", "王芳 ••••8000", "王芳 ••••9000")


def test_rows_that_disagree_on_a_shared_guardian_do_not_change_her_to_and_fro() -> None:
    """The one row's number is hers; the other row's is somebody of the same name."""
    present = school([known(ties=(tie(),)), known(2, "2", "张四", ties=(tie(),))], [guardian()])
    rows = [
        entry("1", guardians=(mother(),)),
        entry("2", "张四", guardians=(mother(phone="+8613900139000"),)),
    ]
    found = differ(rows, present)
    assert [one.id for one in found.plan.guardians] == [None]
    assert [(one.number, one.is_new) for one in found.plan.ties] == [("2", True)]


def test_guardians_that_staff_added_stay() -> None:
    present = school([known(ties=(tie(), tie(2, "祖母")))], [guardian(), guardian(2, "李奶奶")])
    found = differ([entry(guardians=(mother(),))], present)
    assert found.plan.is_empty


def test_a_source_with_ids_takes_away_whom_it_named_before_and_nobody_else() -> None:
    people = [guardian(1, sourced_id="g1"), guardian(2, "李奶奶", "+8613700137000")]
    present = school([known(ties=(tie(1), tie(2, "祖母")))], people)
    found = differ(roster([entry(guardians=())], source="oneroster-1.2"), present)
    assert [(one.student_id, one.guardian_id) for one in found.plan.unlinkings] == [(1, 1)]


def test_a_vague_relation_does_not_replace_a_known_one() -> None:
    present = school([known(ties=(tie(),))], [guardian()])
    vague = GuardianEntry("王芳", "其他", ("+8613800138000",))
    assert differ([entry(guardians=(vague,))], present).plan.is_empty


def test_a_landline_is_kept_to_call_and_cannot_be_told() -> None:
    home = GuardianEntry("王芳", "母亲", ("+861065551234",))
    found = differ([entry(guardians=(home,))], school())
    assert (found.plan.guardians[0].phone, found.plan.guardians[0].further) == (
        None,
        ("+861065551234",),
    )
    assert not found.plan.ties[0].is_told
