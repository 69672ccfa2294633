"""Reading another system's tap log (CSV): rows become taps, or findings that say what is wrong."""

import csv
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct

from card_server.cards.notations import Notation, read_number
from card_server.errors import AppError, Code
from card_server.imports.text_files import find_encoding
from schema.messages import Decision, Refusal


class Result(StrEnum):
    """What the other system's word for a result means: let in, or refused and why."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    LOST = "lost"
    EXPIRED = "expired"
    RETURNED = "returned"
    BLACKLISTED = "blacklisted"


class Columns(Struct, frozen=True, forbid_unknown_fields=True):
    """The names of the columns, as the first line of the file has them."""

    time: str | list[str]
    """One column, or date and time apart."""
    card: str
    reader: str
    direction: str | None = None
    result: str | None = None


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """How to read one system's log; a TOML file with these names."""

    columns: Columns
    notation: Notation
    """How card numbers are written."""
    zone: str
    """The zone of the times, like Asia/Shanghai."""
    time_format: str = "%Y-%m-%d %H:%M:%S"
    """By Python's strptime."""
    encoding: str | None = None
    """None: found, when only one fits."""
    delimiter: str = ","
    readers: dict[str, str] = {}
    """Name in the log (with a direction column: `name|direction`) → code of ours. Empty: the
    names are our codes."""
    results: dict[str, Result] = {}
    """Word in the result column → what it means."""


class LoggedTap(Struct, frozen=True):
    """One row of the log that can be read."""

    line: int
    uid: str
    """Canonical; or its first three bytes, where the notation has no more."""
    reader_name: str
    reader_code: str | None
    """None when the profile does not name this reader."""
    tapped_at: datetime
    """UTC."""
    decision: Decision
    reason: Refusal | None


class LogFinding(Struct, frozen=True):
    """A place in the log that cannot be read."""

    line: int
    field: str
    what: str


def load_profile(path: Path) -> Profile:
    """The profile in a TOML file. Raises AppError(INVALID) that names the wrong place."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AppError(Code.INVALID, f"{path.name} cannot be read: {error}.") from error
    return make_profile(values)


def make_profile(values: dict[str, Any]) -> Profile:
    """A profile from plain values. Raises AppError(INVALID) that names the wrong place."""
    try:
        profile = msgspec.convert(values, Profile)
        ZoneInfo(profile.zone)
    except msgspec.ValidationError as error:
        raise AppError(Code.INVALID, f"The profile is not right: {error}.") from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise AppError(Code.INVALID, f"The profile's zone {profile.zone!r} is none.") from error
    if len(profile.delimiter) != 1:
        raise AppError(Code.INVALID, "The profile's delimiter is not one character.")
    if profile.columns.result and not profile.results:
        raise AppError(Code.INVALID, "The profile names a result column, but no results.")
    return profile


def read_log(path: Path, profile: Profile) -> Iterator[LoggedTap | LogFinding]:
    """The log row by row, in its own order, in bounded memory.

    Raises AppError(INVALID) before the first row when the encoding is wrong or not certain, or a
    column is missing.
    """
    encoding = find_encoding(path, profile.encoding, _own_words(profile))
    reader = _RowReader(profile)
    with path.open(encoding=encoding, newline="") as file:
        rows = csv.reader(file, delimiter=profile.delimiter)
        places = _find_columns(next(rows, []), profile.columns)
        started = rows.line_num + 1
        while True:
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield LogFinding(started, "", f"the row cannot be read: {error}")
            else:
                if row is None:
                    return
                if any(field.strip() for field in row):
                    yield reader.read(started, row, places)
            started = rows.line_num + 1


def _own_words(profile: Profile) -> set[str]:
    """The words that the file must or may hold: under the wrong encoding they are not there."""
    columns = [*_time_columns(profile.columns), profile.columns.card, profile.columns.reader]
    columns += [profile.columns.direction or "", profile.columns.result or ""]
    names = {part for name in profile.readers for part in name.split("|")}
    return {*columns, *names, *profile.results} - {""}


def _time_columns(columns: Columns) -> list[str]:
    return columns.time if isinstance(columns.time, list) else [columns.time]


class _Places(Struct, frozen=True):
    """Where in a row each field stands."""

    time: list[int]
    card: int
    reader: int
    direction: int | None
    result: int | None


def _find_columns(header: list[str], columns: Columns) -> _Places:
    names = [name.strip() for name in header]
    wanted = [*_time_columns(columns), columns.card, columns.reader]
    wanted += [name for name in (columns.direction, columns.result) if name]
    for name in wanted:
        if names.count(name) != 1:
            how = "has no column" if name not in names else "has more than one column"
            there = ", ".join(names) or "nothing"
            raise AppError(
                Code.INVALID, f"The log's first line {how} {name!r}. It holds: {there[:500]}."
            )
    return _Places(
        [names.index(name) for name in _time_columns(columns)],
        names.index(columns.card),
        names.index(columns.reader),
        names.index(columns.direction) if columns.direction else None,
        names.index(columns.result) if columns.result else None,
    )


_DECISIONS: Final = {
    Result.ADMITTED: (Decision.ADMITTED, None),
    Result.REFUSED: (Decision.REFUSED, None),
} | {
    Result(refusal): (Decision.REFUSED, refusal)
    for refusal in Refusal
    if refusal not in {Refusal.NO_LIST, Refusal.HELD}
}


class _RowReader:
    """Reads rows by a profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._zone = ZoneInfo(profile.zone)

    def read(self, line: int, row: list[str], places: _Places) -> LoggedTap | LogFinding:
        """The tap of a row, or the first thing that is wrong with it."""
        last = max(*places.time, places.card, places.reader, places.direction or 0)
        if len(row) <= max(last, places.result or 0):
            return LogFinding(line, "", "the row is shorter than the first line")
        field = "time"
        try:
            tapped_at = self._read_time(" ".join(row[place].strip() for place in places.time))
            field = "card"
            uid = read_number(row[places.card], self._profile.notation).hex
            field = "result"
            decision, reason = self._read_result(row, places)
        except ValueError as error:
            return LogFinding(line, field, str(error))
        name = row[places.reader].strip()
        if places.direction is not None:
            name = f"{name}|{row[places.direction].strip()}"
        code = self._profile.readers.get(name) if self._profile.readers else name
        return LoggedTap(line, uid, name, code, tapped_at, decision, reason)

    def _read_time(self, written: str) -> datetime:
        wanted = self._profile.time_format
        try:
            moment = datetime.strptime(written, wanted)  # noqa: DTZ007 - the zone follows
        except ValueError:
            raise ValueError(f"{written[:40]!r} is not a time like {wanted}") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone)
            if moment.utcoffset() != moment.replace(fold=1).utcoffset():
                raise ValueError("the clocks were changed in this hour: the time is not certain")
        return moment.astimezone(UTC)

    def _read_result(self, row: list[str], places: _Places) -> tuple[Decision, Refusal | None]:
        if places.result is None:
            return Decision.ADMITTED, None
        word = row[places.result].strip()
        result = self._profile.results.get(word)
        if result is None:
            raise ValueError(f"the profile does not say what {word[:20]!r} means")
        return _DECISIONS[result]
