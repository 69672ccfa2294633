"""What columns mean, as the command line has it: 编号=number,母亲手机=guardian_phone:mother."""

from msgspec.structs import replace

from card_server.errors import AppError, Code
from card_server.imports.roster.choices import StagedFile
from card_server.imports.roster.reading import look
from integrations.roster.sheets.fields import Field, plain, read_target
from schema.tables.roster import RosterSource


def read_mapping(file: StagedFile, written: str) -> StagedFile:
    """The file with this said of its columns; of the others what is proposed counts.

    Raises AppError(INVALID) for a header that is not there, and a meaning that is none.
    """
    reading = look(file, lambda _header: None)
    if file.source is not RosterSource.SHEET or reading.table is None:
        return file
    targets = [one.key if one else None for one in reading.mapping]
    headers = [plain(name) for name in reading.table.header]
    for pair in written.split(","):
        header, equals, key = pair.rpartition("=")
        if not equals or plain(header) not in headers:
            raise AppError(Code.INVALID, f"There is no column {header or pair!r} in the file.")
        targets[headers.index(plain(header))] = _checked(key.strip())
    return replace(file, choices=replace(file.choices, targets=tuple(targets)))


def _checked(key: str) -> str | None:
    if key in ("", "-"):
        return None
    try:
        return read_target(key).key
    except ValueError as error:
        there_are = ", ".join(field.value for field in Field)
        raise AppError(Code.INVALID, f"A column is one of {there_are}; not {key!r}.") from error
