"""What goes out is a valid package, and what comes in again is the same school."""

import io
import unicodedata
import zipfile
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.roster.oneroster import tables
from integrations.roster.oneroster.csv_reader import read_csv
from integrations.roster.oneroster.csv_writer import write_csv
from integrations.roster.oneroster.names import join_name, split_name
from integrations.roster.oneroster.school import (
    Guardian,
    Homeroom,
    School,
    SchoolYear,
    Student,
    Term,
    Tie,
    stable_id,
)
from integrations.roster.protocol import (
    GuardianEntry,
    HomeroomEntry,
    Roster,
    Sex,
    Status,
    StudentEntry,
)
from tests.integrations.roster.oneroster.packages import records

YEAR = SchoolYear(
    "y1",
    "2026学年",
    date(2026, 9, 1),
    date(2027, 7, 10),
    (
        Term("t1", "第一学期", date(2026, 9, 1), date(2027, 1, 20)),
        Term("t2", "第二学期", date(2027, 2, 15), date(2027, 7, 10)),
    ),
)
SCHOOL = School(
    "s1",
    "实验中学",
    "3101",
    YEAR,
    homerooms=(Homeroom("h1", "七年级（1）班", 7, "北校区"), Homeroom("h2", "高一（2）班", 10)),
    students=(
        Student(
            "u1",
            "20260001",
            "欧阳娜娜",
            "h1",
            Sex.FEMALE,
            date(2013, 5, 6),
            Status.SUSPENDED,
            True,
            (Tie("g1", "父亲"), Tie("g2", "外祖母")),
        ),
        Student("u2", "20260002", "买买提·艾力", "h2", guardians=(Tie("g1", "其他"),)),
    ),
    guardians=(
        Guardian("g1", "张强", ("+8613800000001", "+861062770001")),
        Guardian("g2", "Anna Maria Smith", ("+8613800000002",)),
    ),
)


def written(school: School) -> io.BytesIO:
    stream = io.BytesIO()
    write_csv(stream, school)
    stream.seek(0)
    return stream


def texts(school: School) -> dict[str, str]:
    with zipfile.ZipFile(written(school)) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}


def expected(school: School) -> Roster:
    """The roster that a school is."""
    names = {homeroom.sourced_id: homeroom.name for homeroom in school.homerooms}
    people = {guardian.sourced_id: guardian for guardian in school.guardians}
    ties = any(student.guardians for student in school.students)
    return Roster(
        "oneroster-1.2",
        tuple(HomeroomEntry(h.name, h.grade, h.campus, h.sourced_id) for h in school.homerooms),
        tuple(
            StudentEntry(
                "users.csv",
                line,
                student.number,
                student.name,
                names[student.homeroom],
                student.sex,
                student.born_on,
                student.status,
                student.is_boarding,
                guardians=tuple(
                    GuardianEntry(
                        people[tie.guardian].name,
                        tie.relation,
                        people[tie.guardian].phones,
                        tie.guardian,
                    )
                    for tie in student.guardians
                )
                if ties
                else None,
                sourced_id=student.sourced_id,
            )
            for line, student in enumerate(school.students, start=2)
        ),
        (),
        school.year.begins_on.year,
    )


def test_a_school_comes_in_as_it_went_out() -> None:
    assert read_csv(written(SCHOOL)) == expected(SCHOOL)


def test_the_manifest_names_every_file_of_the_standard() -> None:
    files = texts(SCHOOL)
    manifest = {row["propertyName"]: row["value"] for row in records(files["manifest.csv"])}
    assert manifest["manifest.version"] == "1.0"
    assert manifest["oneroster.version"] == "1.2"
    stated = {name for name, value in manifest.items() if value == "bulk"}
    assert {f"file.{name.removesuffix('.csv')}" for name in files} == stated | {"file.manifest"}
    assert len(manifest) == 4 + 21
    assert set(manifest.values()) >= {"absent"}


def test_headers_are_the_standards_in_its_order_and_ours_behind() -> None:
    for name, text in texts(SCHOOL).items():
        table = name.removesuffix(".csv")
        header = text.splitlines()[0].split(",")
        columns = list(tables.COLUMNS[table])
        assert header[: len(columns)] == columns
        assert all(column.startswith("metadata.") for column in header[len(columns) :])


def test_every_reference_leads_to_a_record() -> None:
    files = {name.removesuffix(".csv"): records(text) for name, text in texts(SCHOOL).items()}
    ids = {
        table: [row["sourcedId"] for row in rows]
        for table, rows in files.items()
        if table != "manifest"
    }
    for table, own in ids.items():
        assert len(own) == len(set(own)), table
    targets = {
        "orgSourcedId": "orgs",
        "schoolSourcedId": "orgs",
        "primaryOrgSourcedId": "orgs",
        "courseSourcedId": "courses",
        "schoolYearSourcedId": "academicSessions",
        "termSourcedIds": "academicSessions",
        "classSourcedId": "classes",
        "userSourcedId": "users",
        "agentSourcedIds": "users",
    }
    seen = set()
    for rows in files.values():
        for row in rows:
            for column, target in targets.items():
                for id_ in filter(None, row.get(column, "").split(",")):
                    assert id_ in ids[target], (column, id_)
                    seen.add(column)
    assert seen == set(targets)


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("orgs", ("name", "type")),
        ("academicSessions", ("title", "type", "startDate", "endDate", "schoolYear")),
        ("courses", ("title", "orgSourcedId")),
        ("classes", ("title", "courseSourcedId", "classType", "schoolSourcedId", "termSourcedIds")),
        ("users", ("enabledUser", "username", "givenName", "familyName")),
        ("roles", ("userSourcedId", "roleType", "role", "orgSourcedId")),
        ("enrollments", ("classSourcedId", "schoolSourcedId", "userSourcedId", "role")),
    ],
)
def test_what_the_standard_requires_is_never_empty(table: str, columns: tuple[str, ...]) -> None:
    for row in records(texts(SCHOOL)[f"{table}.csv"]):
        assert all(row[column] for column in ("sourcedId", *columns)), row
        assert (row["status"], row["dateLastModified"]) == ("", "")


def test_the_school_years_number_is_the_year_in_which_it_ends() -> None:
    rows = records(texts(SCHOOL)["academicSessions.csv"])
    assert {row["schoolYear"] for row in rows} == {"2027"}
    assert [row["parentSourcedId"] for row in rows] == ["", "y1", "y1"]


def test_guardians_have_the_role_that_the_standard_has_for_them() -> None:
    rows = records(texts(SCHOOL)["roles.csv"])
    assert [row["role"] for row in rows] == ["student", "student", "parent", "relative"]


def test_the_same_school_gives_the_same_bytes() -> None:
    assert written(SCHOOL).read() == written(SCHOOL).read()


def test_ids_of_our_own_are_stable_and_different() -> None:
    assert stable_id("s1", "student", "12") == stable_id("s1", "student", "12")
    ids = {stable_id(s, k, n) for s in ("s1", "s2") for k in ("student", "guardian") for n in "12"}
    assert len(ids) == 8


def test_a_student_of_no_homeroom_or_with_an_unknown_guardian_is_refused() -> None:
    lost = Student("u9", "9", "张三", "h9")
    orphan = Student("u9", "9", "张三", "h1", guardians=(Tie("g9", "父亲"),))
    for student in (lost, orphan):
        bad = School("s1", "x", "1", YEAR, SCHOOL.homerooms, (student,), ())
        with pytest.raises(ValueError, match="u9"):
            write_csv(io.BytesIO(), bad)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("张伟", ("张", "伟")),
        ("欧阳娜娜", ("欧阳", "娜娜")),
        ("欧阳", ("欧", "阳")),
        ("司马", ("司", "马")),
        ("买买提·艾力", ("艾力", "买买提")),
        ("𠮷田", ("𠮷", "田")),
        ("张", ("张", "张")),
        ("Anna Maria Smith", ("Smith", "Anna Maria")),
        ("Pelé", ("Pelé", "Pelé")),
    ],
)
def test_names_have_two_parts_and_are_whole_again(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts
    assert join_name(*parts, full=name) == name


def test_a_part_that_somebody_changed_outweighs_the_full_name() -> None:
    assert join_name("李", "伟", full="张伟") == "李伟"


_LETTERS = st.sampled_from("张伟欧阳娜𠮷·Aáz'\"=+@-;,\u0e01")


def _is_name(text: str) -> bool:
    """As the school keeps them: some letter, NFC, blanks only where they part words."""
    return any(c.isalpha() for c in text) and unicodedata.normalize("NFC", text) == text


NAMES = st.text(_LETTERS, min_size=1, max_size=12).filter(_is_name)
FULL_NAMES = NAMES | st.tuples(st.sampled_from(["Anna", "Bo B", "C"]), st.just("Smith")).map(
    " ".join
)
IDS = st.text("abc-0123456789_:.", min_size=1, max_size=20)
RELATIONS = st.sampled_from(["父亲", "母亲", "祖父", "外祖母", "其他", "监护人"])
PHONES = st.sampled_from(["+8613800000001", "+8613912345678", "+85291234567", "+8618600000009"])


@st.composite
def schools(draw: st.DrawFn) -> School:
    ids = draw(st.lists(IDS, min_size=3, max_size=12, unique=True))
    titles = draw(st.lists(NAMES, min_size=2, max_size=2, unique=True))
    homerooms = tuple(
        Homeroom(id_, title, draw(st.integers(1, 12)), draw(st.none() | NAMES))
        for id_, title in zip(ids[:2], titles, strict=True)
    )
    people = ids[2:]
    count = draw(st.integers(1, len(people)))
    guardians = tuple(
        Guardian(
            id_,
            draw(FULL_NAMES),
            tuple(draw(st.lists(PHONES, min_size=1, max_size=2, unique=True))),
        )
        for id_ in people[count:]
    )
    guardian_ids = [guardian.sourced_id for guardian in guardians]
    students = tuple(
        Student(
            id_,
            f"2026{number:04d}",
            draw(FULL_NAMES),
            draw(st.sampled_from(ids[:2])),
            draw(st.none() | st.sampled_from(Sex)),
            draw(st.none() | st.dates(date(2000, 1, 1), date(2030, 1, 1))),
            draw(st.none() | st.sampled_from(Status)),
            draw(st.none() | st.booleans()),
            tuple(
                Tie(guardian, draw(RELATIONS))
                for guardian in draw(
                    st.lists(st.sampled_from(guardian_ids), unique=True, max_size=3)
                    if guardian_ids
                    else st.just([])
                )
            ),
        )
        for number, id_ in enumerate(people[:count])
    )
    return School("school", "实验中学", "3101", YEAR, homerooms, students, guardians)


@settings(max_examples=150, deadline=None)
@given(schools())
def test_any_school_comes_in_as_it_went_out(school: School) -> None:
    roster = read_csv(written(school))
    kinds = {finding.kind for finding in roster.findings}
    assert kinds <= {"oneroster.guardian_of_nobody"}
    assert (roster.homerooms, roster.students) == (
        expected(school).homerooms,
        expected(school).students,
    )
