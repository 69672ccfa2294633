"""The guardians of one row, however many columns they are spread over."""

from collections.abc import Mapping

from msgspec import Struct

from integrations.roster.codes import RELATION, YES_NO
from integrations.roster.kinds import Kind
from integrations.roster.names import LONGEST, clean_name
from integrations.roster.phones import Phone, read_phones
from integrations.roster.protocol import GuardianEntry
from integrations.roster.sheets.cells import Cells
from integrations.roster.sheets.fields import Field
from integrations.roster.sheets.files import Row
from integrations.roster.sheets.findings import Findings

OTHER = "其他"
_ALSO_OTHER = {"非亲属", "其他亲属", "本人", "户主"}
_OF_SLOT = {"father": "父亲", "mother": "母亲"}


class _Found(Struct):
    """A guardian as far as the row has been read."""

    name: str
    relation: str
    phones: list[Phone]


class GuardianReader:
    """Reads the guardians of one table's rows."""

    def __init__(
        self,
        cells: Cells,
        findings: Findings,
        countries: tuple[str, ...],
        words: Mapping[str, str],
    ) -> None:
        self._cells = cells
        self._findings = findings
        self._countries = countries
        self._relations = RELATION.and_words(words)
        self._slots = cells.slots()

    def read(self, row: Row, student: str) -> tuple[GuardianEntry, ...] | None:
        """The guardians; None where the row says nothing about any."""
        found: list[_Found] = []
        for slot in self._slots:
            self._read_slot(row, slot, found)
        spare = self._phones(row, Field.PHONE)
        if spare and not any(one.phones for one in found):
            if found:
                found[0].phones = spare
            else:
                found.append(_Found("", OTHER, spare))
        return self._finish(row, student, _merged(found))

    def _read_slot(self, row: Row, slot: str, found: list[_Found]) -> None:
        """Add what one guardian's columns hold, if anything."""
        is_one = self._cells.text(row, Field.GUARDIAN_IS_ONE, slot)
        if is_one and YES_NO.read(is_one) == "否":
            return
        name = clean_name(self._cells.text(row, Field.GUARDIAN_NAME, slot))[:LONGEST]
        phones = self._phones(row, Field.GUARDIAN_PHONE, slot)
        written = self._cells.text(row, Field.GUARDIAN_RELATION, slot)
        if not name and not phones:
            return
        if not name and not written and slot not in _OF_SLOT and found:
            found[-1].phones.extend(phones)
            return
        found.append(_Found(name, self._relation(row, slot, written), phones))

    def _relation(self, row: Row, slot: str, written: str) -> str:
        read = self._relations.read(written) if written else _OF_SLOT.get(slot)
        if written and read is None:
            columns = self._cells.columns(Field.GUARDIAN_RELATION, slot)
            self._findings.add(Kind.CODE_UNKNOWN, row.line, columns, written)
        if read is None or read in _ALSO_OTHER:
            note = self._cells.text(row, Field.GUARDIAN_RELATION_NOTE, slot)
            noted = self._relations.read(note) if note else None
            return noted if noted and noted not in _ALSO_OTHER else OTHER
        return read

    def _phones(self, row: Row, field: Field, slot: str = "") -> list[Phone]:
        phones: list[Phone] = []
        for text in self._cells.texts(row, field, slot):
            read = read_phones(text, self._countries)
            phones.extend(read.phones)
            for kind, value in read.faults:
                self._findings.add(kind, row.line, self._cells.columns(field, slot), value)
        return phones

    def _finish(
        self, row: Row, student: str, found: list[_Found]
    ) -> tuple[GuardianEntry, ...] | None:
        """The guardians as they are kept: each with a name and a number."""
        entries = []
        for one in found:
            if not one.phones:
                self._findings.add(Kind.GUARDIAN_NO_PHONE, row.line)
                continue
            phones = dict.fromkeys(
                phone.number
                for phone in sorted(one.phones, key=lambda phone: not phone.takes_messages)
            )
            if not any(phone.takes_messages for phone in one.phones):
                self._findings.add(Kind.PHONE_NO_MESSAGES, row.line)
            if not one.name:
                self._findings.add(Kind.GUARDIAN_UNNAMED, row.line)
            name = one.name or f"{student[: LONGEST - 2]}家长"
            entries.append(GuardianEntry(name, one.relation, tuple(phones)))
        return tuple(entries) or None


def _merged(found: list[_Found]) -> list[_Found]:
    """Whoever is named twice in a row, as 家长 and again as 父亲, once with the numbers of both."""
    merged: dict[str, _Found] = {}
    unnamed = []
    for one in found:
        if not one.name:
            unnamed.append(one)
        elif one.name in merged:
            known = merged[one.name]
            known.phones.extend(one.phones)
            known.relation = one.relation if known.relation == OTHER else known.relation
        else:
            merged[one.name] = one
    known_numbers = {phone.number for one in merged.values() for phone in one.phones}
    new = [one for one in unnamed if not {phone.number for phone in one.phones} <= known_numbers]
    return [*merged.values(), *new]
