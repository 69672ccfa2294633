"""Rosters and schools in a few words, for the tests of imports."""

import hashlib
from collections.abc import Sequence
from typing import Any

from card_server.imports.roster.present import (
    Present,
    PresentGuardian,
    PresentHomeroom,
    PresentStudent,
    PresentTie,
)
from integrations.roster.protocol import GuardianEntry, HomeroomEntry, Roster, StudentEntry

ROOM = HomeroomEntry("七年级(1)班", 7)
OTHER = HomeroomEntry("七年级(2)班", 7)


def hash_(text: str) -> bytes:
    """What stands for the keyed hash."""
    return hashlib.sha256(text.encode()).digest()


def entry(number: str = "1", name: str = "张三", **more: Any) -> StudentEntry:
    """A student of the first homeroom, on a line of the number."""
    values: dict[str, Any] = {
        "file": "名单.xlsx",
        "line": int(number) + 1,
        "number": number,
        "name": name,
        "homeroom": ROOM.name,
    }
    return StudentEntry(**values | more)


def mother(name: str = "王芳", phone: str = "+8613800138000", **more: Any) -> GuardianEntry:
    """A mother with a number."""
    return GuardianEntry(name, "母亲", (phone,) if phone else (), **more)


def roster(students: Sequence[StudentEntry], **more: Any) -> Roster:
    """A whole sheet of these students, with both homerooms."""
    values: dict[str, Any] = {
        "source": "sheet",
        "homerooms": (ROOM, OTHER),
        "students": tuple(students),
        "findings": (),
    }
    return Roster(**values | more)


def known(id_: int = 1, number: str = "1", name: str = "张三", **more: Any) -> PresentStudent:
    """A student whom the school has, in its first homeroom."""
    return PresentStudent(id=id_, number=number, name=name, homeroom_id=1, **more)


def guardian(
    id_: int = 1, name: str = "王芳", phone: str = "+8613800138000", **more: Any
) -> PresentGuardian:
    """A guardian whom the school has."""
    return PresentGuardian(id_, name, hash_(phone), phone[-4:], **more)


def tie(guardian_id: int = 1, relation: str = "母亲") -> PresentTie:
    """A guardian's tie to a student."""
    return PresentTie(guardian_id, relation)


def school(
    students: Sequence[PresentStudent] = (), guardians: Sequence[PresentGuardian] = ()
) -> Present:
    """A school of two homerooms with these people."""
    rooms = (PresentHomeroom(1, ROOM.name, 7), PresentHomeroom(2, OTHER.name, 7))
    return Present(2026, rooms, tuple(students), tuple(guardians))
