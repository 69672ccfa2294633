"""What can be wrong with a OneRoster package, and the list that it is kept in."""

from collections import Counter
from enum import StrEnum
from typing import Final

from integrations.roster.protocol import Finding, Severity


class Kind(StrEnum):
    """Each rule that a package can break."""

    # The package and its files.
    NOT_A_PACKAGE = "oneroster.not_a_package"
    PACKAGE_TOO_BIG = "oneroster.package_too_big"
    MEMBER_NAME = "oneroster.member_name"
    MEMBER_LOCKED = "oneroster.member_locked"
    IN_A_FOLDER = "oneroster.in_a_folder"
    FILE_NAME = "oneroster.file_name"
    FILE_TWICE = "oneroster.file_twice"
    FILE_UNKNOWN = "oneroster.file_unknown"
    FILE_MISSING = "oneroster.file_missing"
    FILE_NEEDED = "oneroster.file_needed"
    FILE_EMPTY = "oneroster.file_empty"
    FILE_BROKEN = "oneroster.file_broken"
    ENCODING = "oneroster.encoding"
    CSV_BROKEN = "oneroster.csv_broken"
    COLUMN_MISSING = "oneroster.column_missing"
    COLUMN_TWICE = "oneroster.column_twice"
    COLUMN_CASE = "oneroster.column_case"
    ROW_LENGTH = "oneroster.row_length"
    PASSWORDS = "oneroster.passwords"
    # The manifest.
    MANIFEST_MISSING = "oneroster.manifest_missing"
    MANIFEST_VERSION = "oneroster.manifest_version"
    MANIFEST_VALUE = "oneroster.manifest_value"
    MANIFEST_SAYS_ABSENT = "oneroster.manifest_says_absent"
    MANIFEST_SAYS_PRESENT = "oneroster.manifest_says_present"
    MANIFEST_SILENT = "oneroster.manifest_silent"
    MANIFEST_MIXED = "oneroster.manifest_mixed"
    VERSION = "oneroster.version"
    # Single values.
    VALUE_MISSING = "oneroster.value_missing"
    NAME_IN_ONE_PART = "oneroster.name_in_one_part"
    VOCABULARY = "oneroster.vocabulary"
    CASE = "oneroster.case"
    DATE = "oneroster.date"
    PHONE = "oneroster.phone"
    NAME_TOO_LONG = "oneroster.name_too_long"
    NUMBER_MISSING = "oneroster.number_missing"
    NUMBER_TOO_LONG = "oneroster.number_too_long"
    NUMBER_FROM_SOURCED_ID = "oneroster.number_from_sourced_id"
    ID_TOO_LONG = "oneroster.id_too_long"
    # Records against each other.
    ID_TWICE = "oneroster.id_twice"
    NUMBER_TWICE = "oneroster.number_twice"
    REFERENCE = "oneroster.reference"
    DELETED_IN_BULK = "oneroster.deleted_in_bulk"
    STATUS_MISSING = "oneroster.status_missing"
    SCHOOL_UNKNOWN = "oneroster.school_unknown"
    SEVERAL_SCHOOLS = "oneroster.several_schools"
    ORG_TYPE = "oneroster.org_type"
    SCHOOL_YEAR = "oneroster.school_year"
    SEVERAL_YEARS = "oneroster.several_years"
    NO_HOMEROOMS = "oneroster.no_homerooms"
    NOBODY = "oneroster.nobody"
    HOMEROOM_NAME_TWICE = "oneroster.homeroom_name_twice"
    HOMEROOM_MISSING = "oneroster.homeroom_missing"
    HOMEROOM_LEFT_OUT = "oneroster.homeroom_left_out"
    HOMEROOM_LEFT = "oneroster.homeroom_left"
    HOMEROOMS_SEVERAL = "oneroster.homerooms_several"
    HOMEROOMS_UNDECIDED = "oneroster.homerooms_undecided"
    GRADE_MISSING = "oneroster.grade_missing"
    GRADE_OUTSIDE = "oneroster.grade_outside"
    GRADE_FROM_STUDENTS = "oneroster.grade_from_students"
    ROLE_CONTRADICTS = "oneroster.role_contradicts"
    AGENT_UNKNOWN = "oneroster.agent_unknown"
    AGENT_ROLE = "oneroster.agent_role"
    GUARDIAN_OF_NOBODY = "oneroster.guardian_of_nobody"
    GUARDIAN_WITHOUT_PHONE = "oneroster.guardian_without_phone"
    PERSON_UNKNOWN = "oneroster.person_unknown"
    # The list itself.
    MORE = "oneroster.more"


class Trouble(StrEnum):
    """Why nothing could be had over REST."""

    UNREACHABLE = "oneroster.rest_unreachable"
    TOO_SLOW = "oneroster.rest_too_slow"
    CUT = "oneroster.rest_cut"
    NO_TOKEN = "oneroster.rest_no_token"  # noqa: S105
    NOT_ALLOWED = "oneroster.rest_not_allowed"
    NOT_FOUND = "oneroster.rest_not_found"
    REFUSED = "oneroster.rest_refused"
    BUSY = "oneroster.rest_busy"
    FAILING = "oneroster.rest_failing"
    UNREADABLE = "oneroster.rest_unreadable"
    ENDLESS = "oneroster.rest_endless"
    INCOMPLETE = "oneroster.rest_incomplete"
    TOO_BIG = "oneroster.rest_too_big"


ERRORS: Final = frozenset(
    {
        Kind.NOT_A_PACKAGE,
        Kind.PACKAGE_TOO_BIG,
        Kind.MEMBER_NAME,
        Kind.MEMBER_LOCKED,
        Kind.FILE_TWICE,
        Kind.FILE_MISSING,
        Kind.FILE_BROKEN,
        Kind.ENCODING,
        Kind.CSV_BROKEN,
        Kind.COLUMN_MISSING,
        Kind.COLUMN_TWICE,
        Kind.ROW_LENGTH,
        Kind.MANIFEST_SAYS_PRESENT,
        Kind.VERSION,
        Kind.VALUE_MISSING,
        Kind.NAME_TOO_LONG,
        Kind.NUMBER_MISSING,
        Kind.NUMBER_TOO_LONG,
        Kind.ID_TOO_LONG,
        Kind.ID_TWICE,
        Kind.NUMBER_TWICE,
        Kind.SCHOOL_UNKNOWN,
        Kind.SEVERAL_SCHOOLS,
        Kind.SEVERAL_YEARS,
        Kind.NO_HOMEROOMS,
        Kind.HOMEROOM_NAME_TWICE,
        Kind.HOMEROOM_MISSING,
        Kind.HOMEROOMS_UNDECIDED,
        Kind.GRADE_MISSING,
        Kind.PERSON_UNKNOWN,
    }
)
"""What stops an import; all else is shown and passes."""

_KEPT_OF_A_KIND: Final = 200
_VALUE_LENGTH: Final = 300


class Findings:
    """Keeps findings in the order they come, of each kind no more than a person would read."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: Counter[Kind] = Counter()
        self._said: set[tuple[Kind, str, str]] = set()

    def add(
        self,
        kind: Kind,
        file: str,
        line: int | None = None,
        field: str = "",
        value: str = "",
        expected: str = "",
    ) -> None:
        """Keep a finding, or only count it when there are many of its kind."""
        self._counts[kind] += 1
        if self._counts[kind] > _KEPT_OF_A_KIND:
            return
        severity = Severity.ERROR if kind in ERRORS else Severity.WARNING
        self._kept.append(
            Finding(
                kind.value,
                severity,
                file,
                line,
                field,
                value[:_VALUE_LENGTH],
                expected[:_VALUE_LENGTH],
            )
        )

    def once(
        self,
        kind: Kind,
        file: str,
        line: int | None = None,
        field: str = "",
        value: str = "",
        expected: str = "",
    ) -> None:
        """The same, but of one column only the first."""
        if (kind, file, field) not in self._said:
            self._said.add((kind, file, field))
            self.add(kind, file, line, field, value, expected)

    def all(self) -> tuple[Finding, ...]:
        """The findings, and after them of which kinds there are how many more."""
        more = [
            Finding(
                Kind.MORE.value,
                Severity.ERROR if kind in ERRORS else Severity.WARNING,
                "",
                None,
                "",
                str(count - _KEPT_OF_A_KIND),
                kind.value,
            )
            for kind, count in self._counts.items()
            if count > _KEPT_OF_A_KIND
        ]
        return (*self._kept, *more)
