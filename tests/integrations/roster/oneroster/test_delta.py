"""A delta names what changed; laid over the school as it is, it gives whom it touches, in full."""

import pytest

from integrations.roster.oneroster.options import HomeroomRule, Options
from integrations.roster.protocol import GuardianEntry, HomeroomEntry, Roster, Sex
from tests.integrations.roster.oneroster.packages import (
    SDS,
    V1_1,
    V1_2,
    Files,
    changed,
    found,
    only,
    place,
    read,
    student,
)

KNOWN = read(V1_1)
STAMP = "2026-10-01T08:00:00.000Z"
FATHER = GuardianEntry("张强", "父亲", ("+8613800000001", "+861062770001"), "g1")
GUARDIAN = GuardianEntry("王芳", "监护人", ("+8613800000002",), "g2")


def delta(files: Files = V1_1, known: Roster | None = KNOWN, **rows: str) -> Roster:
    """A package of these rows alone, each file a delta; `^` in a row is its status and stamp."""
    manifest = files["manifest.csv"].replace(",bulk", ",absent")
    package: Files = {}
    for table, text in rows.items():
        header = files[f"{table}.csv"].splitlines()[0]
        package[f"{table}.csv"] = f"{header}\n" + text.replace("^", f"active,{STAMP}")
        manifest = manifest.replace(f"file.{table},absent", f"file.{table},delta")
    return read({**package, "manifest.csv": manifest}, Options(known=known))


def user(id_: str, name: str, agents: str = "", number: str = "", role: str = "student") -> str:
    family, given = name[0], name[1:]
    return f'{id_},^,true,s1,{role},x,,{given},{family},,{number},,,,"{agents}",07,\n'


def test_a_delta_is_not_whole_and_names_only_whom_it_touches() -> None:
    roster = delta(users=user("u2", "欧阳娜娜", "g1", "20260002"))
    assert (roster.is_whole, roster.removed, roster.findings) == (False, (), ())
    [entry] = roster.students
    assert (entry.number, entry.name, entry.homeroom) == ("20260002", "欧阳娜娜", "七年级（2）班")
    assert entry.guardians == (FATHER,)
    assert roster.homerooms == (HomeroomEntry("七年级（2）班", 7, None, "h2"),)


def test_a_new_student_comes_with_guardian_and_homeroom_in_three_files() -> None:
    roster = delta(
        users=user("u3", "李雷", "g3,g2", "20260003")
        + "g3,^,true,s1,parent,x,,刚,李,,,,13800000003,,,,\n",
        enrollments="e7,^,h1,s1,u3,student,,,\n",
        demographics="u3,^,2013-01-01,male,,,,,,,,,,,\n",
    )
    assert roster.findings == ()
    [entry] = roster.students
    assert (entry.homeroom, entry.sex) == ("七年级（1）班", Sex.MALE)
    assert entry.guardians == (GuardianEntry("李刚", "家长", ("+8613800000003",), "g3"), GUARDIAN)


def test_an_enrolment_alone_moves_a_student() -> None:
    roster = delta(
        enrollments=f"e1,tobedeleted,{STAMP},h1,s1,u1,student,,,\ne8,^,h2,s1,u1,student,,,\n"
    )
    assert roster.findings == ()
    [entry] = roster.students
    assert (entry.number, entry.homeroom) == ("20260001", "七年级（2）班")
    assert (entry.file, entry.line) == ("enrollments.csv", 3)
    assert entry.guardians == (FATHER, GUARDIAN)


def test_a_student_who_leaves_a_homeroom_for_none_stays_and_is_shown() -> None:
    roster = delta(enrollments=f"e1,tobedeleted,{STAMP},h1,s1,u1,student,,,\n")
    assert student(roster, "20260001").homeroom == "七年级（1）班"
    assert only(roster, "homeroom_left").value == "七年级（1）班"


def test_a_guardians_new_phone_reaches_all_children() -> None:
    roster = delta(users="g1,^,true,s1,parent,x,,强,张,,,,13900000001,,,,\n")
    numbers = {entry.number: entry.guardians for entry in roster.students}
    new = GuardianEntry("张强", "父亲", ("+8613900000001",), "g1")
    assert numbers == {"20260001": (new, GUARDIAN), "20260002": (new,)}


def test_a_guardian_who_is_no_more_leaves_all_children() -> None:
    roster = delta(users=f"g1,tobedeleted,{STAMP},,,,,,,,,,,,,,,\n")
    assert {entry.number: entry.guardians for entry in roster.students} == {
        "20260001": (GUARDIAN,),
        "20260002": (),
    }
    assert roster.removed == ()


def test_a_row_that_names_no_agents_any_more_takes_them_away() -> None:
    assert student(delta(users=user("u2", "欧阳娜")), "20260002").guardians == ()


def test_demographics_alone_change_birth_and_sex() -> None:
    roster = delta(demographics="u1,^,2013-06-06,female,,,,,,,,,,,\n")
    [entry] = roster.students
    assert (entry.sex, str(entry.born_on)) == (Sex.FEMALE, "2013-06-06")
    assert (entry.name, entry.homeroom) == ("张伟", "七年级（1）班")


def test_students_who_are_no_more_are_removed_by_their_numbers() -> None:
    bare = f"u1,tobedeleted,{STAMP},,,,,,,,,,,,,,,\n"
    assert delta(users=bare).removed == ("20260001",)
    assert delta(users=bare).students == ()
    full = user("u7", "韩梅", "", "20260007").replace("^", f"tobedeleted,{STAMP}")
    assert delta(users=full, known=None).removed == ("20260007",)
    teacher = user("t9", "李明", "", "T1", "teacher").replace("^", f"tobedeleted,{STAMP}")
    assert delta(users=teacher).removed == ()


def test_the_newest_of_several_rows_counts_whatever_their_order() -> None:
    old = user("u1", "张旧", "", "20260001").replace("^", "active,2026-09-30T08:00:00.000Z")
    new = user("u1", "张新", "", "20260001")
    gone = "u1,tobedeleted,2026-11-01T08:00:00.000Z,,,,,,,,,,,,,,,\n"
    assert [e.name for e in delta(users=old + new).students] == ["张新"]
    assert [e.name for e in delta(users=new + old).students] == ["张新"]
    assert delta(users=gone + new).removed == delta(users=new + gone).removed == ("20260001",)
    assert delta(users=gone + new).students == ()


def test_a_renamed_homeroom_is_told_and_its_students_follow() -> None:
    roster = delta(
        classes="h1,^,七年级一班,07,c7,71,homeroom,,s1,t1,,,\n",
        users=user("u1", "张伟", "g1", "20260001"),
    )
    assert roster.homerooms == (HomeroomEntry("七年级一班", 7, None, "h1"),)
    assert student(roster, "20260001").homeroom == "七年级一班"


def test_a_change_about_nobody_is_an_error() -> None:
    roster = delta(enrollments="e8,^,h2,s1,u7,student,,,\n")
    assert place(only(roster, "person_unknown")) == ("enrollments.csv", 2, "userSourcedId")
    assert roster.has_errors


def test_without_the_school_a_new_students_homeroom_is_unknown() -> None:
    row = user("u3", "李雷", "", "20260003")
    enrollment = "e7,^,h1,s1,u3,student,,,\n"
    assert not delta(users=row, enrollments=enrollment).has_errors
    roster = delta(known=None, users=row, enrollments=enrollment)
    assert place(only(roster, "homeroom_missing")) == ("users.csv", 2, "sourcedId")


def test_enrolments_in_other_classes_touch_nobody() -> None:
    assert delta(enrollments="e8,^,m1,s1,u1,student,,,\n").students == ()


def test_a_status_that_is_not_said_is_shown_once() -> None:
    rows = user("u1", "张伟", "g1", "20260001") + user("u2", "欧阳娜", "g1", "20260002")
    roster = delta(users=rows.replace("^", ","))
    assert place(only(roster, "status_missing")) == ("users.csv", 2, "status")
    assert len(roster.students) == 2


def test_in_version_1_2_a_row_is_a_students_without_its_role_being_said_again() -> None:
    row = "u1,^,true,x,,伟,张,,20260001,,,,g2,07,,,,,,s1,\n"
    roster = delta(V1_2, users=row)
    assert [(e.number, e.guardians) for e in roster.students] == [("20260001", (GUARDIAN,))]


@pytest.mark.parametrize("status", ["inactive", "TOBEDELETED"])
def test_a_status_in_other_words_is_found(status: str) -> None:
    row = user("u1", "张伟", "g1", "20260001").replace("^", f"{status},{STAMP}")
    roster = delta(users=row)
    kind = "vocabulary" if status == "inactive" else "case"
    assert place(only(roster, kind)) == ("users.csv", 2, "status")
    assert roster.removed == (() if status == "inactive" else ("20260001",))


def test_sds_has_no_deltas() -> None:
    roster = read(SDS, Options(homerooms=HomeroomRule.EVERY_CLASS, known=KNOWN))
    assert roster.is_whole
    assert not found(roster, "person_unknown")


def test_a_delta_over_a_delta_is_the_whole() -> None:
    """What a delta says of a student is what a whole package of the same state says."""
    files = changed(V1_1, "enrollments.csv", "e2,,,h2", "e2,,,h1")
    files = changed(files, "users.csv", "娜,欧阳", "娜娜,欧阳")
    whole = student(read(files), "20260002")
    row = V1_1["users.csv"].splitlines()[2].replace("娜,欧阳", "娜娜,欧阳")
    part = student(
        delta(
            users=row.replace("u2,,", f"u2,active,{STAMP}", 1) + "\n",
            enrollments="e2,^,h1,s1,u2,student,,,\n",
            demographics="u2,^,2013-07-08,female,,,,,,,,,,,\n",
        ),
        "20260002",
    )
    fields = set(whole.__struct_fields__) - {"line"}
    assert {f: getattr(part, f) for f in fields} == {f: getattr(whole, f) for f in fields}
