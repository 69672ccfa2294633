"""The roster at the command line: findings by file and line, all or nothing, out and in again."""

import base64
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from card_server.commands import app
from card_server.exports.speaking import speaking
from card_server.storage.database import open_engine
from card_server.words.imports import say
from schema.tables.people import Language, Student
from schema.tables.school import School

HEADER = "学号,姓名,班级,母亲姓名,母亲电话"
ROWS = ("1,张三,初一(1)班,王芳,13800138000", "2,李四,初一(2)班,王芳,13800138000")


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    path = tmp_path / "server.toml"
    key = base64.b64encode(bytes(32)).decode()
    path.write_text(
        f'database_url = "{database_url}"\ndata_key = "{key}"\nweb_secret = "{"x" * 32}"\n'
    )
    engine = open_engine(database_url)
    with Session(engine) as session:
        session.add_all(School(code=one, name=one, signature=one) for one in ("no1", "no2"))
        session.commit()
    engine.dispose()
    return path


def sheet(folder: Path, *rows: str, header: str = HEADER) -> str:
    path = folder / "名单.csv"
    path.write_text("\n".join((header, *rows)), encoding="utf-8")
    return str(path)


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])


def count(engine: Engine, school: int = 1) -> int:
    with Session(engine) as session:
        wanted = select(func.count()).where(Student.school_id == school)
        return session.scalar(wanted) or 0


def test_a_sheet_comes_in_and_again_changes_nothing(
    config: Path, engine: Engine, tmp_path: Path
) -> None:
    path = sheet(tmp_path, *ROWS)
    dry = run(config, "import-roster", path, "--school", "no1", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "What would become of it" in dry.output
    assert count(engine) == 0
    assert run(config, "import-roster", path, "--school", "no1").exit_code == 0
    assert count(engine) == 2
    again = run(config, "import-roster", path, "--school", "no1")
    assert "Nothing changes" in again.output


def test_errors_are_said_by_file_line_and_field_and_nothing_is_written(
    config: Path, engine: Engine, tmp_path: Path
) -> None:
    path = sheet(tmp_path, ROWS[0], "2,,初一(2)班,,")
    answer = run(config, "import-roster", path, "--school", "no1")
    assert answer.exit_code == 65
    assert "名单.csv:3: 姓名: The name is missing." in answer.output
    assert count(engine) == 0


def test_findings_are_said_in_chinese_where_asked(config: Path, tmp_path: Path) -> None:
    path = sheet(tmp_path, ROWS[0], "2,,初一(2)班,,")
    answer = run(config, "import-roster", path, "--school", "no1", "--language", "zh")
    with speaking(Language.CHINESE):
        said = say("name.missing")
    assert f"名单.csv:3: 姓名: {said}" in answer.output


def test_the_brake_holds_without_a_yes(config: Path, engine: Engine, tmp_path: Path) -> None:
    run(config, "import-roster", sheet(tmp_path, *ROWS), "--school", "no1")
    half = sheet(tmp_path, ROWS[0])
    assert run(config, "import-roster", half, "--school", "no1").exit_code == 73
    assert run(config, "import-roster", half, "--school", "no1", "--yes").exit_code == 0
    assert count(engine) == 2


def test_columns_can_be_named(config: Path, engine: Engine, tmp_path: Path) -> None:
    path = sheet(tmp_path, *ROWS, header="代号,姓名,班级,母亲姓名,母亲电话")
    assert run(config, "import-roster", path, "--school", "no1").exit_code == 65
    named = run(config, "import-roster", path, "--school", "no1", "--mapping", "代号=number")
    assert named.exit_code == 0, named.output
    assert count(engine) == 2
    wrong = run(config, "import-roster", path, "--school", "no1", "--mapping", "代号=nonsense")
    assert wrong.exit_code == 65
    assert "nonsense" in wrong.output


def test_what_goes_out_comes_in(config: Path, engine: Engine, tmp_path: Path) -> None:
    run(config, "import-roster", sheet(tmp_path, *ROWS), "--school", "no1")
    out = tmp_path / "out.zip"
    answer = run(config, "export-roster", str(out), "--school", "no1", "--reason", "新系统")
    assert answer.exit_code == 0, answer.output
    assert out.stat().st_mode & 0o077 == 0
    assert run(config, "import-roster", str(out), "--school", "no2").exit_code == 0
    assert count(engine, 2) == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("import-roster", "--school", "no1"), 65),
        (("import-roster", "nowhere.csv", "--school", "no1"), 66),
        (("import-roster", "--from-oneroster", "--school", "no1"), 66),
        (("export-roster", "x.zip", "--school", "no1"), 73),
        (("export-roster", "x.zip", "--school", "none"), 66),
    ],
)
def test_what_cannot_be_is_said(config: Path, arguments: tuple[str, ...], code: int) -> None:
    assert run(config, *arguments).exit_code == code
