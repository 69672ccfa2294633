"""Packages of each version become the same school; what they say against themselves is found."""

from datetime import date
from pathlib import Path

import pytest

from integrations.roster.oneroster.csv_reader import list_schools, read_csv
from integrations.roster.oneroster.csv_rows import csv_rows
from integrations.roster.oneroster.findings import Findings
from integrations.roster.oneroster.options import HomeroomRule, Options
from integrations.roster.oneroster.package import open_package
from integrations.roster.oneroster.tables import Version
from integrations.roster.protocol import GuardianEntry, HomeroomEntry, Sex, StudentEntry
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
    without,
    zipped,
)

FATHER = GuardianEntry("张强", "父亲", ("+8613800000001", "+861062770001"), "g1")
GUARDIAN = GuardianEntry("王芳", "监护人", ("+8613800000002",), "g2")
STUDENTS = (
    StudentEntry(
        file="users.csv",
        line=2,
        number="20260001",
        name="张伟",
        homeroom="七年级（1）班",
        sex=Sex.MALE,
        born_on=date(2013, 5, 6),
        guardians=(FATHER, GUARDIAN),
        sourced_id="u1",
    ),
    StudentEntry(
        file="users.csv",
        line=3,
        number="20260002",
        name="欧阳娜",
        homeroom="七年级（2）班",
        sex=Sex.FEMALE,
        born_on=date(2013, 7, 8),
        guardians=(FATHER,),
        sourced_id="u2",
    ),
)
EVERY_CLASS = Options(homerooms=HomeroomRule.EVERY_CLASS)


@pytest.mark.parametrize(("files", "version"), [(V1_1, "1.1"), (V1_2, "1.2")])
def test_both_versions_give_the_same_school(files: Files, version: str) -> None:
    roster = read(files)
    assert roster.findings == ()
    assert roster.source == f"oneroster-{version}"
    assert roster.homerooms == (
        HomeroomEntry("七年级（1）班", 7, None, "h1"),
        HomeroomEntry("七年级（2）班", 7, None, "h2"),
    )
    assert roster.students == STUDENTS
    assert (roster.school_year, roster.is_whole, roster.removed) == (2026, True, ())


def test_a_folder_is_read_like_a_zip(tmp_path: Path) -> None:
    for name, text in V1_1.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_csv(tmp_path) == read(V1_1)


def test_the_sds_dialect_has_guardians_by_relationships() -> None:
    roster = read(SDS, EVERY_CLASS)
    assert not roster.has_errors
    assert roster.source == "oneroster-sds-2.1"
    assert roster.homerooms == (HomeroomEntry("七年级（1）班", 7, None, "h1"),)
    first, second = roster.students
    assert (first.number, first.name, first.sex) == ("u1", "张伟", Sex.MALE)
    assert first.guardians == (GuardianEntry("张强", "母亲", ("+8613800000001",), "g1"),)
    assert second.guardians == (GuardianEntry("张强", "亲属", ("+8613800000001",), "g1"),)
    assert place(only(roster, "grade_from_students")) == ("classes.csv", 2, "grades")
    assert place(only(roster, "number_from_sourced_id")) == ("users.csv", 2, "identifier")


def test_sds_without_the_choice_that_every_class_is_a_homeroom_is_refused() -> None:
    roster = read(SDS)
    assert roster.has_errors
    assert place(only(roster, "no_homerooms")) == ("classes.csv", None, "classType")


@pytest.mark.parametrize("files", [V1_1, V1_2])
def test_passwords_are_reported_and_nowhere_kept(files: Files) -> None:
    row = ',"g1,g2",07,'
    roster = read(changed(files, "users.csv", row, row + "Secret-7"))
    finding = only(roster, "passwords")
    assert place(finding) == ("users.csv", 2, "password")
    assert "Secret-7" not in repr(roster)
    assert roster.students == STUDENTS


def test_a_password_goes_no_further_than_the_header_check() -> None:
    files = changed(V1_1, "users.csv", ',"g1,g2",07,', ',"g1,g2",07,Secret-7')
    with open_package(zipped(files), "utf-8-sig", Findings()) as package:
        rows = list(csv_rows(package, "users", Version.V1_1, Findings()))
    assert len(rows) == 5
    assert not [row for row in rows if "password" in row.values or "Secret-7" in repr(row)]


def test_columns_that_nobody_knows_change_nothing() -> None:
    lines = V1_1["users.csv"].splitlines()
    text = "\n".join(
        [lines[0] + ",metadata.vendor.bus,busNumber"] + [f"{li},7,8" for li in lines[1:]]
    )
    assert read({**V1_1, "users.csv": text}) == read(V1_1)


@pytest.mark.parametrize("word", ["07", "7"])
def test_grades_are_words_of_the_vocabulary(word: str) -> None:
    roster = read(changed(V1_1, "classes.csv", "班,07,", f"班,{word},"))
    assert {homeroom.grade for homeroom in roster.homerooms} == {7}


@pytest.mark.parametrize("word", ["KG", "PK", "13", "UG", "Other"])
def test_homerooms_outside_of_our_grades_are_left_out_with_their_students(word: str) -> None:
    roster = read(changed(V1_1, "classes.csv", "（2）班,07,", f"（2）班,{word},"))
    assert not roster.has_errors
    assert place(only(roster, "grade_outside")) == ("classes.csv", 3, "grades")
    assert [entry.number for entry in roster.students] == ["20260001"]


def test_a_grade_that_class_and_course_leave_open_comes_from_all_students() -> None:
    files = changed(
        changed(V1_1, "classes.csv", "班,07,", "班,,"), "courses.csv", "HR07,07", "HR07,"
    )
    roster = read(files)
    assert not roster.has_errors
    assert [homeroom.grade for homeroom in roster.homerooms] == [7, 7]
    assert [f.expected for f in found(roster, "grade_from_students")] == ["7", "7"]


def test_a_grade_that_nobody_says_is_for_staff_to_say() -> None:
    files = changed(
        changed(V1_1, "classes.csv", "班,07,", '班,"07,08",'), "courses.csv", "07,s1", ",s1"
    )
    files = changed(files, "users.csv", ",07,\n", ",,\n")
    roster = read(files)
    assert [place(f) for f in found(roster, "grade_missing")] == [
        ("classes.csv", 2, "grades"),
        ("classes.csv", 3, "grades"),
    ]
    assert found(roster, "homeroom_missing") == []
    chosen = read(files, Options(grades={"h1": 7, "h2": 8}))
    assert not chosen.has_errors
    assert [homeroom.grade for homeroom in chosen.homerooms] == [7, 8]


def test_of_several_homerooms_the_primary_one_counts() -> None:
    more = "e9,,,h2,s1,u1,student,true,,\n"
    files = {**V1_1, "enrollments.csv": V1_1["enrollments.csv"] + more}
    roster = read(files)
    finding = only(roster, "homerooms_several")
    assert place(finding) == ("enrollments.csv", 6, "classSourcedId")
    assert finding.expected == "七年级（2）班"
    assert student(roster, "20260001").homeroom == "七年级（2）班"
    undecided = read(changed(files, "enrollments.csv", "student,true", "student,"))
    assert undecided.has_errors
    assert only(undecided, "homerooms_undecided").line == 6


def test_a_student_without_a_homeroom_stops_the_import_unless_staff_say_otherwise() -> None:
    files = changed(V1_1, "enrollments.csv", "e2,,,h2", "e2,,,m1")
    roster = read(files)
    assert place(only(roster, "homeroom_missing")) == ("users.csv", 3, "sourcedId")
    assert roster.has_errors
    passed = read(files, Options(leaves_out_without_homeroom=True))
    assert not passed.has_errors
    assert len(found(passed, "homeroom_left_out")) == len(passed.students) == 1


def test_enrolments_count_on_their_days() -> None:
    more = "e9,,,h2,s1,u1,student,,2027-02-01,\n"
    text = V1_1["enrollments.csv"].replace(
        "u1,student,,2026-09-01,2027-07-10", "u1,student,,2026-09-01,2027-02-01"
    )
    files = {**V1_1, "enrollments.csv": text + more}
    in_autumn = read(files, Options(on=date(2027, 1, 31)))
    in_spring = read(files, Options(on=date(2027, 2, 1)))
    assert student(in_autumn, "20260001").homeroom == "七年级（1）班"
    assert student(in_spring, "20260001").homeroom == "七年级（2）班"
    assert in_autumn.findings == in_spring.findings == ()


def two_schools() -> Files:
    files = {
        **V1_1,
        "orgs.csv": V1_1["orgs.csv"] + "s2,,,第二中学,school,3102,d1\n",
        "users.csv": changed(V1_1, "users.csv", "u2,,,true,s1", "u2,,,true,s2")["users.csv"],
    }
    return changed(files, "classes.csv", "72,homeroom,,s1", "72,homeroom,,s2")


def test_of_several_schools_staff_choose_theirs() -> None:
    roster = read(two_schools())
    finding = only(roster, "several_schools")
    assert roster.has_errors
    assert finding.expected == "s1 实验中学; s2 第二中学"
    assert [school.sourced_id for school in list_schools(zipped(two_schools()))] == ["s1", "s2"]


@pytest.mark.parametrize("school", ["s2", "3102"])
def test_a_chosen_school_has_its_own_people_alone(school: str) -> None:
    roster = read(two_schools(), Options(school=school))
    assert not roster.has_errors
    assert [entry.number for entry in roster.students] == ["20260002"]
    assert [homeroom.name for homeroom in roster.homerooms] == ["七年级（2）班"]


def test_students_who_do_not_say_their_school_are_where_their_homeroom_is() -> None:
    files = changed(two_schools(), "users.csv", "u1,,,true,s1", "u1,,,true,")
    numbers = [
        [entry.number for entry in read(files, Options(school=school)).students]
        for school in ("s1", "s2")
    ]
    assert numbers == [["20260001"], ["20260002"]]


def test_a_school_that_the_package_does_not_have_is_an_error() -> None:
    assert only(read(V1_1, Options(school="s7")), "school_unknown").value == "s7"


@pytest.mark.parametrize(
    ("stated", "is_found"), [("2027", False), ("2026-2027", False), ("2026", True), ("2031", True)]
)
def test_the_school_year_is_that_of_its_dates(stated: str, is_found: bool) -> None:
    roster = read(changed(V1_1, "academicSessions.csv", ",,2027\n", f",,{stated}\n"))
    assert roster.school_year == 2026
    assert bool(found(roster, "school_year")) is is_found


def test_homerooms_of_two_years_stop_the_import_unless_a_day_is_named() -> None:
    files = {
        **V1_1,
        "academicSessions.csv": V1_1["academicSessions.csv"]
        + "y2,,,2027学年,schoolYear,2027-09-01,2028-07-10,,2028\n",
    }
    files = changed(files, "classes.csv", "72,homeroom,,s1,t1", "72,homeroom,,s1,y2")
    roster = read(files)
    assert only(roster, "several_years").value == "2026, 2027"
    assert roster.has_errors
    now = read(files, Options(on=date(2026, 10, 1), leaves_out_without_homeroom=True))
    assert now.school_year == 2026
    assert [homeroom.name for homeroom in now.homerooms] == ["七年级（1）班"]


def test_who_is_enrolled_as_a_student_against_the_own_role_is_none() -> None:
    roster = read(changed(V1_1, "enrollments.csv", "t9,teacher,true", "t9,student,"))
    finding = only(roster, "role_contradicts")
    assert (*place(finding), finding.value, finding.expected) == (
        "enrollments.csv",
        5,
        "role",
        "student",
        "teacher",
    )
    assert roster.students == STUDENTS


def test_names_are_joined_as_they_are_written_where_they_come_from() -> None:
    files = changed(V1_1, "users.csv", "伟,张,,2026", "Mary,Smith,Jane,2026")
    assert student(read(files), "20260001").name == "Mary Jane Smith"
    one_part = read(changed(V1_1, "users.csv", "伟,张,", ",张伟,"))
    assert student(one_part, "20260001").name == "张伟"
    assert place(only(one_part, "name_in_one_part")) == ("users.csv", 2, "givenName")
    nameless = read(changed(V1_1, "users.csv", "伟,张,", ",,"))
    assert place(only(nameless, "value_missing")) == ("users.csv", 2, "familyName")


def test_a_student_alone_without_a_number_is_an_error() -> None:
    roster = read(changed(V1_1, "users.csv", "娜,欧阳,,20260002", "娜,欧阳,,"))
    assert place(only(roster, "number_missing")) == ("users.csv", 3, "identifier")
    assert roster.has_errors


@pytest.mark.parametrize(
    ("files", "kind", "where"),
    [
        (
            changed(V1_1, "users.csv", "欧阳,,20260002", "欧阳,,20260001"),
            "number_twice",
            ("users.csv", 3, "identifier"),
        ),
        (
            changed(V1_1, "users.csv", "\nu2,", "\nu1,"),
            "id_twice",
            ("users.csv", 3, "sourcedId"),
        ),
        (
            changed(V1_1, "classes.csv", "（2）班", "（1）班"),
            "homeroom_name_twice",
            ("classes.csv", 3, "title"),
        ),
        (
            changed(V1_1, "users.csv", ",,20260001", "," + "," + "1" * 33),
            "number_too_long",
            ("users.csv", 2, "identifier"),
        ),
        (
            changed(V1_1, "users.csv", "伟,张", "伟," + "张" * 121),
            "name_too_long",
            ("users.csv", 2, "familyName"),
        ),
        (
            changed(V1_1, "classes.csv", "七年级（2）班", "班" * 41),
            "name_too_long",
            ("classes.csv", 3, "title"),
        ),
        (
            changed(V1_1, "users.csv", "\nt9,", "\n" + "t" * 81 + ","),
            "id_too_long",
            ("users.csv", 4, "sourcedId"),
        ),
        (
            changed(V1_1, "classes.csv", "七年级（2）班", ""),
            "value_missing",
            ("classes.csv", 3, "title"),
        ),
    ],
)
def test_what_would_be_wrong_in_the_school_stops_the_import(
    files: Files, kind: str, where: tuple[str, int, str]
) -> None:
    roster = read(files)
    assert where in [place(finding) for finding in found(roster, kind)]
    assert roster.has_errors


@pytest.mark.parametrize(
    ("files", "kind", "where"),
    [
        (
            changed(V1_1, "demographics.csv", "2013-05-06,male", "2013-05-06,boy"),
            "vocabulary",
            ("demographics.csv", 2, "sex"),
        ),
        (
            changed(V1_1, "demographics.csv", "2013-05-06", "06/05/2013"),
            "date",
            ("demographics.csv", 2, "birthDate"),
        ),
        (
            changed(V1_1, "demographics.csv", "2013-05-06", "2013-02-30"),
            "date",
            ("demographics.csv", 2, "birthDate"),
        ),
        (
            changed(V1_1, "demographics.csv", "male", "Male"),
            "case",
            ("demographics.csv", 2, "sex"),
        ),
        (
            changed(V1_1, "enrollments.csv", "h2,s1,u2", "h7,s1,u2"),
            "reference",
            ("enrollments.csv", 3, "classSourcedId"),
        ),
        (
            changed(V1_1, "enrollments.csv", "h2,s1,u2", "h2,s1,u7"),
            "reference",
            ("enrollments.csv", 3, "userSourcedId"),
        ),
        (
            changed(V1_1, "classes.csv", "h1,,,七年级（1）班,07,c7", "h1,,,七年级（1）班,07,c9"),
            "reference",
            ("classes.csv", 2, "courseSourcedId"),
        ),
        (
            changed(V1_1, "orgs.csv", "实验中学,school", "实验中学,department"),
            "org_type",
            ("classes.csv", 2, "schoolSourcedId"),
        ),
        (
            changed(V1_1, "users.csv", "\nt9,,,", "\nt9,tobedeleted,,"),
            "deleted_in_bulk",
            ("users.csv", 4, "status"),
        ),
    ],
)
def test_what_is_only_doubtful_is_shown(
    files: Files, kind: str, where: tuple[str, int, str]
) -> None:
    assert where in [place(finding) for finding in found(read(files), kind)]


def test_a_file_that_classes_refer_to_and_is_absent_is_named_once() -> None:
    files = changed(V1_1, "manifest.csv", "file.courses,bulk", "file.courses,absent")
    roster = read(without(files, "courses.csv"))
    finding = only(roster, "file_needed")
    assert (*place(finding), finding.expected) == (
        "classes.csv",
        2,
        "courseSourcedId",
        "courses.csv",
    )
    assert roster.students == STUDENTS


def test_a_campus_is_an_org_of_its_own_or_a_column() -> None:
    files = {**V1_2, "orgs.csv": V1_2["orgs.csv"] + "k1,,,北校区,ext:campus,,s1\n"}
    roster = read(changed(files, "classes.csv", "72,homeroom,,s1", "72,homeroom,,k1"))
    assert not roster.has_errors
    assert [homeroom.campus for homeroom in roster.homerooms] == [None, "北校区"]
    long = read(changed(files, "orgs.csv", "北校区", "北" * 41))
    assert place(only(long, "name_too_long")) == ("orgs.csv", 4, "name")


def test_of_many_findings_of_a_kind_the_rest_is_counted() -> None:
    rows = "".join(f"x{n},,,2013-99-99,male,,,,,,,,,,,\n" for n in range(250))
    roster = read({**V1_1, "demographics.csv": V1_1["demographics.csv"] + rows})
    assert len(found(roster, "date")) == 200
    more = only(roster, "more")
    assert (more.value, more.expected) == ("50", "oneroster.date")
