"""The manifest: what a package says of itself, checked against what is there.

Source: OneRoster 1.1 CSV Tables §2.2; OneRoster 1.2.1 CSV Binding §3.3 and §5.1.
"""

from msgspec import Struct

from integrations.roster.oneroster.findings import Findings, Kind
from integrations.roster.oneroster.package import Package
from integrations.roster.oneroster.tables import (
    ENROLLMENTS,
    IN_ORDER,
    MANIFEST,
    NEEDED,
    NOT_READ,
    RELATIONSHIPS,
    ROLES,
    USERS,
    Version,
)

_FILE = "manifest.csv"
_MODES = ("absent", "bulk", "delta")


class Contents(Struct, frozen=True):
    """What to read, and as what."""

    version: Version
    tables: tuple[str, ...]
    """In the order in which they are read."""
    is_delta: bool

    @property
    def source(self) -> str:
        """The name that a roster's source has."""
        return f"oneroster-{self.version}"


def read_manifest(package: Package, findings: Findings) -> Contents:
    """The contents as the manifest states them; what it leaves open, as the files show it."""
    if not package.tables:
        return Contents(Version.V1_1, (), is_delta=False)
    if MANIFEST in package.tables:
        stated = _properties(package, findings)
        version = _stated_version(stated, package, findings)
        modes = _modes(stated, package, findings)
    else:
        version = _version_by_files(package, findings)
        modes = dict.fromkeys(package.tables, "bulk")
        if version is not Version.SDS:
            findings.add(Kind.MANIFEST_MISSING, _FILE)
    tables = tuple(table for table in IN_ORDER if table in modes)
    contents = Contents(version, tables, _is_delta(modes, findings))
    _check_needed(contents, findings)
    return contents


def _properties(package: Package, findings: Findings) -> dict[str, tuple[str, int]]:
    """Property → value and line."""
    properties: dict[str, tuple[str, int]] = {}
    lines = package.lines(MANIFEST, findings)
    header = next(lines, (1, []))[1]
    if header[:2] != ["propertyName", "value"]:
        findings.add(Kind.COLUMN_MISSING, _FILE, 1, "propertyName", ", ".join(header))
        return {}
    for line, cells in lines:
        name, value = cells[0], cells[1] if len(cells) > 1 else ""
        if name in properties:
            findings.add(Kind.MANIFEST_VALUE, _FILE, line, name, value)
        properties[name] = (value, line)
    return properties


def _stated_version(
    stated: dict[str, tuple[str, int]], package: Package, findings: Findings
) -> Version:
    manifest_version, line = stated.get("manifest.version", ("", 0))
    if manifest_version != "1.0":
        findings.add(
            Kind.MANIFEST_VERSION, _FILE, line or None, "manifest.version", manifest_version, "1.0"
        )
    value, line = stated.get("oneroster.version", ("", 0))
    if value in ("1.1", "1.2") or value.startswith(("1.1.", "1.2.")):
        return Version(value[:3])
    findings.add(Kind.VERSION, _FILE, line or None, "oneroster.version", value, "1.1, 1.2")
    return _version_by_files(package, findings)


def _version_by_files(package: Package, findings: Findings) -> Version:
    """As the tables look: roles have a table of their own since 1.2, relationships only in SDS."""
    if ROLES not in package.tables:
        return Version.V1_1
    header = next(package.lines(ROLES, findings), (1, []))[1]
    if RELATIONSHIPS in package.tables or "roleType" not in header:
        return Version.SDS
    return Version.V1_2


def _modes(
    stated: dict[str, tuple[str, int]], package: Package, findings: Findings
) -> dict[str, str]:
    """Table to read → bulk or delta. A file that is said to be absent is not looked at."""
    modes: dict[str, str] = {}
    for table in (*IN_ORDER, *sorted(NOT_READ)):
        mode, line = stated.get(f"file.{table}", ("", 0))
        is_there = table in package.tables
        field = f"file.{table}"
        if mode and mode not in _MODES:
            findings.add(Kind.MANIFEST_VALUE, _FILE, line, field, mode, ", ".join(_MODES))
            mode = ""
        if not mode and is_there and table in IN_ORDER:
            findings.add(Kind.MANIFEST_SILENT, _FILE, line or None, field, "", f"{table}.csv")
            modes[table] = "bulk"
        elif mode == "absent" and is_there:
            findings.add(Kind.MANIFEST_SAYS_ABSENT, _FILE, line, field, mode, f"{table}.csv")
        elif mode in ("bulk", "delta") and not is_there:
            findings.add(Kind.MANIFEST_SAYS_PRESENT, _FILE, line, field, mode, f"{table}.csv")
        elif mode in ("bulk", "delta") and table in IN_ORDER:
            modes[table] = mode
    return modes


def _is_delta(modes: dict[str, str], findings: Findings) -> bool:
    """Whether a person who is not named is still there: where people or their places are deltas."""
    kinds = set(modes.values())
    if len(kinds) > 1:
        findings.add(Kind.MANIFEST_MIXED, _FILE)
    people = {modes[table] for table in (USERS, ROLES, ENROLLMENTS) if table in modes}
    return "delta" in (people or kinds)


def _check_needed(contents: Contents, findings: Findings) -> None:
    """A whole roster needs people, homerooms, and who is in which; changes need none of them."""
    if contents.is_delta:
        return
    needed = NEEDED if contents.version is Version.V1_1 else (*NEEDED, ROLES)
    for table in needed:
        if table not in contents.tables:
            findings.add(Kind.FILE_MISSING, f"{table}.csv")
