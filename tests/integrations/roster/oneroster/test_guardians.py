"""Who a student's guardians are, from whichever side the package says it, and their phones."""

from integrations.roster.protocol import GuardianEntry
from tests.integrations.roster.oneroster.packages import (
    V1_1,
    changed,
    only,
    place,
    read,
    student,
)

FATHER = GuardianEntry("张强", "父亲", ("+8613800000001", "+861062770001"), "g1")
GUARDIAN = GuardianEntry("王芳", "监护人", ("+8613800000002",), "g2")


def test_agents_who_are_nobody_or_no_guardians_are_found() -> None:
    roster = read(changed(V1_1, "users.csv", '"g1,g2"', '"g1,g7,t9"'))
    assert (only(roster, "agent_unknown").value, only(roster, "agent_role").value) == (
        "g7",
        "t9 teacher",
    )
    assert place(only(roster, "agent_role")) == ("users.csv", 2, "agentSourcedIds")
    assert place(only(roster, "guardian_of_nobody")) == ("users.csv", 6, "agentSourcedIds")
    assert student(roster, "20260001").guardians == (FATHER,)


def test_a_guardians_own_row_may_name_the_child() -> None:
    files = changed(changed(V1_1, "users.csv", '"g1,g2"', "g2"), "users.csv", ",g1,07", ",,07")
    roster = read(files)
    assert student(roster, "20260001").guardians == (GUARDIAN, FATHER)
    assert student(roster, "20260002").guardians == (FATHER,)


def test_a_source_that_knows_no_guardians_leaves_those_that_are_there() -> None:
    files = changed(changed(V1_1, "users.csv", '"g1,g2"', ""), "users.csv", ",g1,07", ",,07")
    files = changed(files, "users.csv", '"u1,u2"', "")
    assert [entry.guardians for entry in read(files).students] == [None, None]


def test_a_source_that_knows_guardians_says_of_a_child_that_there_are_none() -> None:
    files = changed(changed(V1_1, "users.csv", ",g1,07", ",,07"), "users.csv", '"u1,u2"', "u1")
    assert student(read(files), "20260002").guardians == ()


def test_phones_that_are_none_are_found_and_masked() -> None:
    roster = read(changed(V1_1, "users.csv", "13800000002", "12345678"))
    finding = only(roster, "phone")
    assert (*place(finding), finding.value) == ("users.csv", 6, "sms", "****5678")
    assert place(only(roster, "guardian_without_phone")) == ("users.csv", 6, "sms")
