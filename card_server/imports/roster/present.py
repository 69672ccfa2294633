"""What the school has today, as far as a roster can change it: plain values."""

from datetime import date

from msgspec import Struct

from schema.tables.people import Sex, StudentStatus


class PresentHomeroom(Struct, frozen=True):
    """A homeroom of the school year in use."""

    id: int
    name: str
    grade: int
    campus: str | None = None
    sourced_id: str | None = None


class PresentTie(Struct, frozen=True):
    """What a guardian is to a student."""

    guardian_id: int
    relation: str
    is_told: bool = True


class PresentStudent(Struct, frozen=True):
    """A student, whatever the status; of the identity number only what finds and shows it."""

    id: int
    number: str
    name: str
    homeroom_id: int
    sex: Sex = Sex.UNKNOWN
    born_on: date | None = None
    status: StudentStatus = StudentStatus.ENROLLED
    is_boarding: bool = False
    is_going_to_board: bool = False
    """From a coming day on."""
    identity_hash: bytes | None = None
    identity_tail: str = ""
    registry: str = ""
    sourced_id: str | None = None
    is_gone: bool = False
    ties: tuple[PresentTie, ...] = ()

    @property
    def is_of_school(self) -> bool:
        """Whether the student is here today, or comes back."""
        return self.status in (StudentStatus.ENROLLED, StudentStatus.SUSPENDED)


class PresentGuardian(Struct, frozen=True):
    """A guardian; numbers by their hashes, the one for messages apart (None: there is none)."""

    id: int
    name: str
    phone_hash: bytes | None = None
    phone_tail: str = ""
    further: frozenset[bytes] = frozenset()
    sourced_id: str | None = None

    def has(self, phone_hash: bytes) -> bool:
        """Whether one of the numbers is this."""
        return phone_hash == self.phone_hash or phone_hash in self.further


class Present(Struct, frozen=True):
    """The whole school."""

    school_year: int | None
    """Of its homerooms; None while there are none."""
    homerooms: tuple[PresentHomeroom, ...] = ()
    students: tuple[PresentStudent, ...] = ()
    guardians: tuple[PresentGuardian, ...] = ()
