"""The manifest is held against the files, and each contradiction is named."""

import pytest

from integrations.roster.protocol import Severity
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
    without,
)


def line_of(files: Files, start: str) -> int:
    lines = files["manifest.csv"].splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.startswith(start))


def test_a_file_that_is_said_to_be_absent_is_not_read() -> None:
    files = changed(V1_1, "manifest.csv", "file.demographics,bulk", "file.demographics,absent")
    roster = read(files)
    finding = only(roster, "manifest_says_absent")
    line = line_of(files, "file.demographics")
    assert place(finding) == ("manifest.csv", line, "file.demographics")
    assert (finding.value, finding.expected) == ("absent", "demographics.csv")
    assert not roster.has_errors
    assert {entry.sex for entry in roster.students} == {None}


@pytest.mark.parametrize("mode", ["bulk", "delta"])
def test_a_file_that_is_said_to_be_there_and_is_not_stops_the_import(mode: str) -> None:
    files = changed(V1_1, "manifest.csv", "file.results,absent", f"file.results,{mode}")
    roster = read(files)
    assert only(roster, "manifest_says_present").field == "file.results"
    assert roster.has_errors


def test_a_file_that_the_manifest_does_not_name_is_read() -> None:
    roster = read(changed(V1_1, "manifest.csv", "file.demographics,bulk\n", ""))
    assert only(roster, "manifest_silent").expected == "demographics.csv"
    assert roster.students == read(V1_1).students


def test_a_header_alone_with_a_manifest_that_calls_its_file_absent() -> None:
    """As some vendors' blank exports are: eight headers, and demographics called absent."""
    files = {name: text.splitlines()[0] + "\n" for name, text in V1_1.items()}
    manifest = V1_1["manifest.csv"].replace("demographics,bulk", "demographics,absent")
    quoted = "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in manifest.splitlines()
    )
    roster = read({**files, "manifest.csv": quoted})
    assert [f.kind for f in roster.findings] == [
        "oneroster.manifest_says_absent",
        "oneroster.nobody",
    ]
    assert not roster.has_errors
    assert roster.students == ()


def test_whole_files_and_changes_in_one_package_take_nobody_away() -> None:
    files = changed(V1_1, "manifest.csv", "file.users,bulk", "file.users,delta")
    roster = read(files)
    assert only(roster, "manifest_mixed").file == "manifest.csv"
    assert roster.is_whole is False


def test_changes_in_what_is_not_people_leave_the_roster_whole() -> None:
    roster = read(changed(V1_1, "manifest.csv", "demographics,bulk", "demographics,delta"))
    assert only(roster, "manifest_mixed").severity is Severity.WARNING
    assert roster.is_whole
    assert len(roster.students) == 2


@pytest.mark.parametrize(
    ("old", "new", "kind", "is_error"),
    [
        ("manifest.version,1.0", "manifest.version,2.0", "manifest_version", False),
        ("manifest.version,1.0\n", "", "manifest_version", False),
        ("oneroster.version,1.1", "oneroster.version,3.0", "version", True),
        ("oneroster.version,1.1\n", "", "version", True),
        ("file.orgs,bulk", "file.orgs,Bulk", "manifest_value", False),
        ("file.orgs,bulk", "file.orgs,bulk\nfile.orgs,absent", "manifest_value", False),
        ("propertyName,value", "property,is", "column_missing", True),
    ],
)
def test_what_the_manifest_says_wrongly_is_found(
    old: str, new: str, kind: str, is_error: bool
) -> None:
    roster = read(changed(V1_1, "manifest.csv", old, new))
    assert {finding.file for finding in found(roster, kind)} == {"manifest.csv"}
    assert roster.has_errors is is_error


@pytest.mark.parametrize(
    ("files", "source"),
    [(V1_1, "oneroster-1.1"), (V1_2, "oneroster-1.2"), (SDS, "oneroster-sds-2.1")],
)
def test_without_a_manifest_the_files_tell_the_version(files: Files, source: str) -> None:
    roster = read(without(files, "manifest.csv") if "manifest.csv" in files else files)
    assert roster.source == source
    assert bool(found(roster, "manifest_missing")) is (files is not SDS)


def test_version_1_2_1_is_read_as_1_2() -> None:
    roster = read(changed(V1_2, "manifest.csv", "version,1.2", "version,1.2.1"))
    assert (roster.source, roster.findings) == ("oneroster-1.2", ())


@pytest.mark.parametrize(
    ("files", "table"),
    [(V1_1, "users"), (V1_1, "classes"), (V1_1, "enrollments"), (V1_2, "roles")],
)
def test_a_whole_roster_without_its_people_or_homerooms_stops_the_import(
    files: Files, table: str
) -> None:
    files = changed(files, "manifest.csv", f"file.{table},bulk", f"file.{table},absent")
    roster = read(without(files, f"{table}.csv"))
    assert only(roster, "file_missing").file == f"{table}.csv"
    assert roster.has_errors
