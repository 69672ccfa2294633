"""A OneRoster package of CSV files becomes a roster: versions 1.1 and 1.2, bulk and delta, SDS."""

from msgspec import Struct

from integrations.roster.oneroster.assembly import assemble
from integrations.roster.oneroster.csv_rows import csv_rows
from integrations.roster.oneroster.delta import assemble_delta
from integrations.roster.oneroster.findings import Findings, Kind
from integrations.roster.oneroster.gathering import Gathered
from integrations.roster.oneroster.manifest import read_manifest
from integrations.roster.oneroster.options import Options
from integrations.roster.oneroster.package import Source, open_package
from integrations.roster.oneroster.tables import ORGS
from integrations.roster.protocol import Roster


class SchoolChoice(Struct, frozen=True):
    """A school that a package names, to choose from."""

    sourced_id: str
    name: str
    identifier: str


def read_csv(source: Source, options: Options | None = None) -> Roster:
    """The roster, with a finding for all that is wrong. Whatever the package holds, nothing raises.

    A roster whose findings have errors may be incomplete and must not be imported.
    """
    options = options or Options()
    findings = Findings()
    with open_package(source, options.encoding, findings) as package:
        contents = read_manifest(package, findings)
        gathered = Gathered(contents.version, contents.tables, contents.is_delta, options, findings)
        for table in contents.tables:
            gathered.take(table, csv_rows(package, table, contents.version, findings))
    if contents.is_delta:
        return assemble_delta(gathered, contents.source)
    if not contents.tables and not findings.all():
        findings.add(Kind.NOT_A_PACKAGE, "")
    return assemble(gathered, contents.source)


def list_schools(source: Source, options: Options | None = None) -> tuple[SchoolChoice, ...]:
    """The schools of a package, for staff to say which is theirs; empty if it cannot be read."""
    options = options or Options()
    findings = Findings()
    with open_package(source, options.encoding, findings) as package:
        contents = read_manifest(package, findings)
        gathered = Gathered(contents.version, (ORGS,), contents.is_delta, options, findings)
        if ORGS in contents.tables:
            gathered.take(ORGS, csv_rows(package, ORGS, contents.version, findings))
    return tuple(
        SchoolChoice(org.id, org.name, org.identifier)
        for org in gathered.orgs.values()
        if org.type == "school"
    )
