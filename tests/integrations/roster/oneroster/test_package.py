"""Packages are opened without trusting them: what is broken or hostile is a finding, no crash."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.roster.oneroster import package
from integrations.roster.oneroster.csv_reader import read_csv
from integrations.roster.oneroster.options import Options
from integrations.roster.protocol import Roster
from tests.integrations.roster.oneroster.packages import (
    V1_1,
    changed,
    found,
    only,
    place,
    read,
    student,
    without,
    zipped,
)

WHOLE = read(V1_1)


def test_byte_order_mark_and_line_ends_of_windows_are_read_through() -> None:
    files = {
        name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() for name, text in V1_1.items()
    }
    assert read(files) == WHOLE


def test_line_ends_within_a_cell_do_not_shift_the_lines() -> None:
    files = changed(V1_1, "users.csv", "伟,张", '"伟\r\n",张')
    roster = read(changed(files, "users.csv", "娜,欧阳,,20260002", "娜,欧阳,,"))
    assert student(roster, "20260001").name == "张伟"
    assert only(roster, "number_missing").line == 3


def test_what_cannot_be_seen_is_taken_out_of_names() -> None:
    roster = read(changed(V1_1, "users.csv", "伟,张", "\u200b伟\u202e,\ufeff张\x07"))
    assert student(roster, "20260001").name == "张伟"


def test_hostile_words_are_kept_literally() -> None:
    roster = read(changed(V1_1, "users.csv", "伟,张", "'; DROP TABLE student;--,=cmd|<script>"))
    assert student(roster, "20260001").name == "'; DROP TABLE student;-- =cmd|<script>"


def test_another_encoding_is_named_with_its_line_and_can_be_chosen() -> None:
    files = {name: text.encode("gb18030") for name, text in V1_1.items()}
    roster = read(files)
    assert roster.has_errors
    assert ("users.csv", 2, "") in [place(finding) for finding in found(roster, "encoding")]
    assert read(files, Options(encoding="gb18030")) == WHOLE


def test_utf_16_is_refused_without_a_line_that_would_be_wrong() -> None:
    roster = read(V1_1, Options(encoding="utf-16"))
    assert {finding.line for finding in found(roster, "encoding")} == {None}


def test_a_quotation_mark_that_is_not_closed_is_an_error_in_its_line() -> None:
    roster = read(changed(V1_1, "users.csv", "伟,张", '"伟,张'))
    assert roster.has_errors
    assert [place(f)[:2] for f in found(roster, "csv_broken")] == [("users.csv", 2)]


@pytest.mark.parametrize(("row", "cells"), [("u8,,,true\n", "4"), ("t8" + "," * 30 + "\n", "31")])
def test_rows_shorter_or_longer_than_the_header_are_errors(row: str, cells: str) -> None:
    roster = read({**V1_1, "users.csv": V1_1["users.csv"] + row})
    finding = only(roster, "row_length")
    assert (*place(finding), finding.value, finding.expected) == ("users.csv", 7, "", cells, "18")


def test_empty_lines_are_passed_over_and_counted() -> None:
    text = V1_1["users.csv"].replace("\nu2,", "\n\n,,,,,,,,,,,,,,,,,\nu2,")
    roster = read({**V1_1, "users.csv": text})
    assert student(roster, "20260002").line == 5
    assert roster.findings == ()


@pytest.mark.parametrize(
    ("file", "old", "new", "kind", "field"),
    [
        ("users.csv", "sourcedId", "SourcedID", "column_case", "SourcedID"),
        ("users.csv", "email", "phone", "column_twice", "phone"),
        ("users.csv", "familyName", "surname", "column_missing", "familyName"),
        ("classes.csv", "classType", "kind", "column_missing", "classType"),
        ("enrollments.csv", "userSourcedId", "user", "column_missing", "userSourcedId"),
    ],
)
def test_headers_are_held_to_the_standard(
    file: str, old: str, new: str, kind: str, field: str
) -> None:
    roster = read(changed(V1_1, file, old, new))
    assert (file, 1, field) in [place(finding) for finding in found(roster, kind)]
    assert roster.has_errors is (kind != "column_case")


def test_an_empty_file_is_named() -> None:
    assert only(read({**V1_1, "courses.csv": ""}), "file_empty").file == "courses.csv"


@pytest.mark.parametrize(
    "name", ["../users.csv", "/etc/users.csv", "..\\users.csv", "C:users.csv", "a/../users.csv"]
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "roster.zip"
    path.parent.mkdir()
    path.write_bytes(zipped({**without(V1_1, "users.csv"), name: V1_1["users.csv"]}).read())
    roster = read_csv(path)
    assert found(roster, "member_name")
    assert roster.has_errors
    assert [p.name for p in tmp_path.rglob("*")] == ["deep", "roster.zip"]


def test_files_in_one_folder_of_the_zip_are_read_and_litter_is_not() -> None:
    files = {f"export/{name}": text for name, text in V1_1.items()}
    roster = read({**files, "__MACOSX/export/._users.csv": "x", "export/.DS_Store": "x"})
    assert [f.kind for f in roster.findings] == ["oneroster.in_a_folder"]
    assert roster.students == WHOLE.students


def test_files_by_other_names_are_named() -> None:
    files = {**without(V1_1, "users.csv"), "Users.CSV": V1_1["users.csv"], "notes.txt": "x"}
    roster = read(files)
    assert only(roster, "file_name").expected == "users.csv"
    assert only(roster, "file_unknown").file == "notes.txt"
    assert roster.students == WHOLE.students


def test_a_file_twice_is_refused() -> None:
    roster = read({**V1_1, "USERS.csv": V1_1["users.csv"]})
    assert only(roster, "file_twice").file == "users.csv"
    assert roster.has_errors


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "roster"
    folder.mkdir()
    for name, text in without(V1_1, "users.csv").items():
        (folder / name).write_text(text, encoding="utf-8")
    (tmp_path / "elsewhere").write_text(V1_1["users.csv"], encoding="utf-8")
    (folder / "users.csv").symlink_to(tmp_path / "elsewhere")
    roster = read_csv(folder)
    assert only(roster, "member_name").file == "users.csv"
    assert roster.students == ()


def test_what_unpacks_to_far_more_than_its_size_is_not_opened() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", b"\0" * 64 * 1024 * 1024)
    assert stream.tell() < 100_000
    stream.seek(0)
    roster = read_csv(stream)
    assert only(roster, "package_too_big").file == "users.csv"
    assert roster.has_errors


def test_what_is_too_big_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(package, "LARGEST_FILE", 100)
    assert found(read(V1_1), "package_too_big")
    for name, text in V1_1.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert found(read_csv(tmp_path), "package_too_big")
    monkeypatch.setattr(package, "MOST_FILES", 3)
    assert found(read(V1_1), "package_too_big")


def test_a_cell_without_an_end_is_an_error_and_no_memory() -> None:
    roster = read(changed(V1_1, "users.csv", "伟,张", "伟" * 70_000 + ",张"))
    assert only(roster, "csv_broken").line == 2


@pytest.mark.parametrize("bytes_", [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_said_to_be_none(bytes_: bytes) -> None:
    roster = read_csv(io.BytesIO(bytes_))
    assert [f.kind for f in roster.findings] == ["oneroster.not_a_package"]
    assert roster.has_errors


def test_nothing_at_the_path_is_said_too(tmp_path: Path) -> None:
    assert only(read_csv(tmp_path / "gone.zip"), "not_a_package").file == "gone.zip"
    (tmp_path / "empty").mkdir()
    assert read_csv(tmp_path / "empty").has_errors


def test_a_locked_file_is_named() -> None:
    whole = zipped(V1_1).read()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        name = archive.getinfo("users.csv").filename.encode()
    directory = whole.rindex(b"PK\x01\x02", 0, whole.rindex(name))
    locked = bytearray(whole)
    locked[directory + 8] |= 1
    roster = read_csv(io.BytesIO(bytes(locked)))
    assert only(roster, "member_locked").file == "users.csv"


def test_a_damaged_file_is_named() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, text in V1_1.items():
            archive.writestr(name, text)
    damaged = stream.getvalue().replace("欧阳".encode(), "司马".encode())
    roster = read_csv(io.BytesIO(damaged))
    assert only(roster, "file_broken").file == "users.csv"
    assert roster.has_errors


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_zip_with_any_bytes_changed_never_raises(data: st.DataObject) -> None:
    bytes_ = bytearray(zipped(V1_1).read())
    for _ in range(data.draw(st.integers(1, 6))):
        bytes_[data.draw(st.integers(0, len(bytes_) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(bytes_)) | st.none())
    assert isinstance(read_csv(io.BytesIO(bytes(bytes_[:cut]))), Roster)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(V1_1)), st.binary(max_size=200) | st.text().map(str.encode)
    )
)
def test_files_of_any_content_never_raise(contents: dict[str, bytes]) -> None:
    assert isinstance(read({**V1_1, **contents}), Roster)
