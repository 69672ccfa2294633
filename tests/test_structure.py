"""The house rules that a program can hold: short files, short functions, a first sentence, pins."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_MODULE = 450
LONGEST_FUNCTION = 60
_FOLDERS = (
    ".ci",
    "card_server",
    "docs",
    "integrations",
    "reader_daemon",
    "schema",
    "systemd",
    "tests",
)
_TEXTS = {
    ".cjs",
    ".css",
    ".html",
    ".js",
    ".json",
    ".md",
    ".mako",
    ".po",
    ".py",
    ".service",
    ".toml",
    "",
}
_MADE = {"__pycache__", "vendor", "bench.json"}
"""What is not written by hand."""
_MIGRATIONS = "schema/migrations/versions/"
"""Written once by Alembic and then history: as long as they are, and named by number."""
_UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_NO_NAMES = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}
_PINNED = re.compile(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[0-9][0-9a-z.]*")


def _project_files() -> list[str]:
    """All files of the project, without what set-up and tools make beside them."""
    found = [path for path in ROOT.iterdir() if path.is_file()]
    for folder in _FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    names = (path.relative_to(ROOT) for path in found)
    return sorted(
        name.as_posix() for name in names if name.suffix in _TEXTS and not _MADE & {*name.parts}
    )


FILES = _project_files()
MODULES = [name for name in FILES if name.endswith(".py") and not name.startswith(_MIGRATIONS)]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_files_are_found() -> None:
    assert {"schema/messages.py", "card_server/ingest.py", "tests/test_structure.py"} <= {*MODULES}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_begins_with_one_sentence(name: str) -> None:
    text = _read(name)
    if not text and name.endswith("__init__.py"):
        return
    first = (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0]
    assert first.endswith((".", "…")), f"{name} does not begin with a sentence"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_and_its_functions_are_short(name: str) -> None:
    text = _read(name)
    assert len(text.splitlines()) <= LONGEST_MODULE
    long = {
        node.name: length
        for node, length in _functions(ast.parse(text))
        if length > LONGEST_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_named_after_its_subject(name: str) -> None:
    assert not _NO_NAMES & {*Path(name).with_suffix("").parts}


def test_nothing_is_left_for_later() -> None:
    here = Path(__file__).relative_to(ROOT).as_posix()
    found = [
        f"{name}:{number}"
        for name in FILES
        if name not in {here, "package-lock.json"}
        for number, line in enumerate(_read(name).splitlines(), 1)
        if _UNDONE.search(line)
    ]
    assert found == []


def test_every_requirement_is_pinned() -> None:
    lines = [
        line.split(" ;")[0].split(" #")[0].strip()
        for line in _read("requirements.txt").splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]
    assert lines
    assert [line for line in lines if not _PINNED.fullmatch(line)] == []


def test_every_direct_dependency_is_pinned_as_in_the_requirements() -> None:
    required = {_name(line): _version(line) for line in _read("requirements.txt").splitlines()}
    direct = _direct_dependencies()
    assert [one for one in direct if not _PINNED.fullmatch(one)] == []
    assert {_name(one): _version(one) for one in direct}.items() <= required.items()


def test_every_direct_dependency_has_its_reason_in_the_readme() -> None:
    reasons = dict(re.findall(r"^\| `([^`]+)` \| (\S.*?) \|$", _read("README.md"), re.MULTILINE))
    package = json.loads(_read("package.json"))
    names = {_name(one) for one in _direct_dependencies()}
    names |= {*package["dependencies"], *package["devDependencies"]}
    assert names - reasons.keys() == set()


def test_front_end_packages_are_pinned_and_come_from_wherever_npm_is_told() -> None:
    package = json.loads(_read("package.json"))
    versions = {**package["dependencies"], **package["devDependencies"]}
    assert [one for one in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", one[1])] == []
    packages = json.loads(_read("package-lock.json"))["packages"]
    locked = {name: entry for name, entry in packages.items() if name}
    assert [name for name, entry in locked.items() if "resolved" in entry] == []
    assert [name for name, entry in locked.items() if not entry.get("integrity")] == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".md")])
def test_links_between_pages_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", _read(name))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (ROOT / name).parent.joinpath(link).exists()] == []


def _functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def _direct_dependencies() -> list[str]:
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    return [*project["dependencies"], *(one for extra in extras.values() for one in extra)]


def _name(requirement: str) -> str:
    return requirement.partition("==")[0].partition("[")[0].strip()


def _version(requirement: str) -> str:
    return requirement.partition("==")[2].split(" ;")[0].strip()
