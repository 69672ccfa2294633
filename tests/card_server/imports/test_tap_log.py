"""Another system's tap log becomes taps, or findings that name line and field."""

import codecs
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from card_server.errors import AppError, Code
from card_server.imports.tap_log import LogFinding, LoggedTap, load_profile, make_profile, read_log
from schema.messages import Decision, Refusal

PROFILE: dict[str, Any] = {
    "columns": {"time": "刷卡时间", "card": "卡号", "reader": "设备", "result": "结果"},
    "notation": "decimal-10",
    "zone": "Asia/Shanghai",
    "readers": {"东门进": "gate-east-in"},
    "results": {"通过": "admitted", "挂失": "lost", "拒绝": "refused"},
}
HEADER = "刷卡时间,姓名,卡号,设备,结果\r\n"
ROW = "2025-03-01 07:32:05,张三,1446047753,东门进,通过\r\n"
TAP = LoggedTap(
    2,
    "5630F009",
    "东门进",
    "gate-east-in",
    datetime(2025, 2, 28, 23, 32, 5, tzinfo=UTC),
    Decision.ADMITTED,
    None,
)


def read(folder: Path, content: str | bytes, **changes: Any) -> list[LoggedTap | LogFinding]:
    path = folder / "log.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_log(path, make_profile(PROFILE | changes)))


def refusal(folder: Path, content: str | bytes, **changes: Any) -> str:
    with pytest.raises(AppError) as caught:
        read(folder, content, **changes)
    assert caught.value.code is Code.INVALID
    return caught.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_each_encoding_is_found_and_may_be_named(tmp_path: Path, encoding: str) -> None:
    content = (HEADER + ROW).encode(encoding)
    assert read(tmp_path, content) == [TAP]
    assert read(tmp_path, content, encoding=encoding) == [TAP]


def test_big_endian_utf_16_is_found_by_its_mark(tmp_path: Path) -> None:
    content = codecs.BOM_UTF16_BE + (HEADER + ROW).encode("utf-16-be")
    assert read(tmp_path, content) == [TAP]


def test_a_mark_is_no_part_of_a_name_though_utf_8_was_named(tmp_path: Path) -> None:
    assert read(tmp_path, (HEADER + ROW).encode("utf-8-sig"), encoding="utf-8") == [TAP]


ENGLISH = {"columns": {"time": "time", "card": "card", "reader": "reader"}, "readers": {}}


def test_a_file_that_two_encodings_fit_asks_which(tmp_path: Path) -> None:
    content = "time,card,reader\n2025-03-01 07:32:05,1446047753,东门\n"
    assert "name its encoding" in refusal(tmp_path, content, results={}, **ENGLISH)
    [tap] = read(tmp_path, content, results={}, encoding="utf-8", **ENGLISH)
    assert isinstance(tap, LoggedTap)
    assert tap.reader_name == "东门"
    english = {**ENGLISH, "readers": {"东门": "gate-east-in"}}
    [tap] = read(tmp_path, content, results={}, **english)
    assert isinstance(tap, LoggedTap)
    assert tap.reader_code == "gate-east-in"


def test_plain_ascii_needs_no_question(tmp_path: Path) -> None:
    content = "time,card,reader\n2025-03-01 07:32:05,1446047753,gate-east-in\n"
    [tap] = read(tmp_path, content, results={}, **ENGLISH)
    assert isinstance(tap, LoggedTap)
    assert tap.reader_code == "gate-east-in"


@pytest.mark.parametrize(
    ("content", "changes", "said"),
    [
        (HEADER.encode("gbk"), {"encoding": "utf-8"}, "not utf-8: wrong bytes near line 1"),
        (HEADER.encode() + b"\xff\xff,\n", {}, "neither UTF-8 nor GB18030"),
        (HEADER.encode(), {"encoding": "latin-1"}, "not one of utf-8"),
        (HEADER.encode("utf-16-le"), {"encoding": None}, "UTF-16 without a mark"),
        (codecs.BOM_UTF32_LE + HEADER.encode("utf-32-le"), {}, "UTF-32"),
        ((HEADER + ROW + "x,").encode("gbk") + b"\xd5", {"encoding": "gbk"}, "near line 3"),
    ],
)
def test_a_wrong_encoding_is_refused_before_the_first_row(
    tmp_path: Path, content: bytes, changes: dict[str, Any], said: str
) -> None:
    message = refusal(tmp_path, content, **changes)
    assert said in message


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("刷卡时间,卡号,结果\n", "has no column '设备'"),
        ("刷卡时间,卡号,设备,结果,卡号\n", "more than one column '卡号'"),
    ],
)
def test_the_columns_must_be_there_once(tmp_path: Path, header: str, said: str) -> None:
    assert said in refusal(tmp_path, header)


@pytest.mark.parametrize(
    ("row", "field", "what"),
    [
        ("2025/03/01 07:32,张三,1446047753,东门进,通过", "time", "is not a time like"),
        ("2025-02-30 07:32:05,张三,1446047753,东门进,通过", "time", "is not a time like"),
        ("2025-03-01 07:32:05,张三,1.45E+09,东门进,通过", "card", "lost digits"),
        ("2025-03-01 07:32:05,张三,1446047753,东门进,？", "result", "does not say what '？'"),
        ("2025-03-01 07:32:05,张三", "", "shorter"),
        ('2025-03-01 07:32:05,"' + "x" * 200_000, "", "cannot be read"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_the_others_go_on(
    tmp_path: Path, row: str, field: str, what: str
) -> None:
    entries = read(tmp_path, f"{HEADER}{ROW}{row}\n")
    assert entries[0] == TAP
    finding = entries[1]
    assert isinstance(finding, LogFinding)
    assert (finding.line, finding.field) == (3, field)
    assert what in finding.what
    assert "张三" not in finding.what


def test_lines_are_counted_through_quoted_line_ends_and_empty_rows(tmp_path: Path) -> None:
    two_lines = '2025-03-01 07:32:05,"张\n三",1446047753,东门进,通过\n'
    entries = read(tmp_path, f"{HEADER}{two_lines}\n,,,,\n{ROW}")
    assert [entry.line for entry in entries] == [2, 6]


@pytest.mark.parametrize(
    ("word", "decision", "reason"),
    [
        ("通过", Decision.ADMITTED, None),
        ("挂失", Decision.REFUSED, Refusal.LOST),
        ("拒绝", Decision.REFUSED, None),
    ],
)
def test_denials_are_denials(
    tmp_path: Path, word: str, decision: Decision, reason: Refusal | None
) -> None:
    [tap] = read(tmp_path, HEADER + ROW.replace("通过", word))
    assert isinstance(tap, LoggedTap)
    assert (tap.decision, tap.reason) == (decision, reason)


def test_a_reader_that_the_profile_does_not_name_keeps_its_name_and_gets_no_code(
    tmp_path: Path,
) -> None:
    [tap] = read(tmp_path, HEADER + ROW.replace("东门进", "东门进2"))
    assert isinstance(tap, LoggedTap)
    assert (tap.reader_name, tap.reader_code) == ("东门进2", None)


def test_date_and_time_apart_and_a_direction_column(tmp_path: Path) -> None:
    columns = {"time": ["日期", "时间"], "card": "卡号", "reader": "设备", "direction": "方向"}
    content = "日期;时间;卡号;设备;方向\n2025/3/1;7:32;166735958;东门;进\n"
    [tap] = read(
        tmp_path,
        content,
        columns=columns,
        results={},
        delimiter=";",
        notation="decimal-10-reversed",
        time_format="%Y/%m/%d %H:%M",
        readers={"东门|进": "gate-east-in", "东门|出": "gate-east-out"},
    )
    assert isinstance(tap, LoggedTap)
    assert (tap.uid, tap.reader_code) == ("5630F009", "gate-east-in")
    assert tap.tapped_at == datetime(2025, 2, 28, 23, 32, tzinfo=UTC)


def test_an_hour_that_the_clock_struck_twice_is_not_guessed(tmp_path: Path) -> None:
    row = ROW.replace("2025-03-01 07:32:05", "2024-11-03 01:30:00")
    [finding] = read(tmp_path, HEADER + row, zone="America/New_York")
    assert isinstance(finding, LogFinding)
    assert "not certain" in finding.what


def test_a_time_with_its_own_offset_keeps_it(tmp_path: Path) -> None:
    row = ROW.replace("2025-03-01 07:32:05", "2025-03-01T07:32:05+0900")
    [tap] = read(tmp_path, HEADER + row, time_format="%Y-%m-%dT%H:%M:%S%z")
    assert isinstance(tap, LoggedTap)
    assert tap.tapped_at == datetime(2025, 2, 28, 22, 32, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"notation": "octal"}, "Invalid enum value 'octal'"),
        ({"zone": "Mars/Phobos"}, "'Mars/Phobos'"),
        ({"delimiter": ",,"}, "delimiter"),
        ({"coding": "gbk"}, "unknown field `coding`"),
        ({"results": {}}, "no results"),
        ({"results": {"通过": "fine"}}, "Invalid enum value 'fine'"),
    ],
)
def test_a_wrong_profile_names_the_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(AppError) as caught:
        make_profile(PROFILE | changes)
    assert said in caught.value.message


def test_the_documented_profile_reads_the_documented_log(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
    (tmp_path / "profile.toml").write_text(_block(page, "toml"), encoding="utf-8")
    (tmp_path / "log.csv").write_text(_block(page, "csv"), encoding="gbk")
    profile = load_profile(tmp_path / "profile.toml")
    entries = list(read_log(tmp_path / "log.csv", profile))
    assert len(entries) == 3
    assert all(isinstance(entry, LoggedTap) and entry.reader_code for entry in entries)


def _block(page: str, language: str) -> str:
    return page.partition(f"```{language}\n")[2].partition("```")[0]


def test_a_profile_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text("= 1", encoding="utf-8")
    with pytest.raises(AppError, match=r"profile\.toml cannot be read"):
        load_profile(path)
