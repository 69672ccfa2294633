"""Accounts as programs list, make and change them: those of a school, or those of the district."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from card_server.api import admin_shapes as shapes
from card_server.api.administrators import administrator
from card_server.api.changes import NewStaff, StaffChange
from card_server.api.grants import read_grants
from card_server.api.matching import is_conditional, match
from card_server.staff import administration
from card_server.staff.administration import Administrator, Made, Member
from schema.tables.school import School
from schema.tables.staff import Staff

Opening = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Accounts:
    """The accounts of one school; of the district where `school_id` is None."""

    school_id: int | None
    reading: Opening
    changing: Opening

    def list_all(self) -> list[Member]:
        """All of them, by name."""
        with self.reading() as session:
            return administration.list_staff(session, self.school_id)

    def find(self, staff_id: int) -> Member:
        """One of them. Raises AppError(NOT_FOUND)."""
        with self.reading() as session:
            return administration.find_member(session, self.school_id, staff_id)

    def add(self, sent: NewStaff) -> Made:
        """A new one."""
        grants = read_grants(sent.grants)
        with self.changing() as session:
            return administration.add_staff(
                session, administrator(), self.school_id, sent.login, sent.name, grants
            )

    def change(self, staff_id: int, sent: StaffChange) -> Member:
        """Another name, other grants, disabled or enabled: all of it or nothing."""
        by, school_id = administrator(), self.school_id
        with self.changing() as session:
            if is_conditional():
                self._lock(session)
            before = administration.find_member(session, school_id, staff_id)
            match(shapes.Staff, before)
            if sent.name is not None or sent.grants is not None:
                grants = before.grants if sent.grants is None else read_grants(sent.grants)
                name = before.name if sent.name is None else sent.name
                administration.change_staff(session, by, school_id, staff_id, name, grants)
            if sent.is_disabled is True:
                administration.disable_staff(session, by, school_id, staff_id, datetime.now(UTC))
            if sent.is_disabled is False:
                administration.enable_staff(session, by, school_id, staff_id)
            return administration.find_member(session, school_id, staff_id)

    def renew_password(self, staff_id: int) -> Made:
        """A new one-time password."""
        with self.changing() as session:
            return administration.renew_password(session, administrator(), self.school_id, staff_id)

    def unlock(self, staff_id: int) -> Member:
        """Let somebody try again at once who failed to log in too often."""
        return self._settle(staff_id, administration.unlock_staff)

    def switch_code_off(self, staff_id: int) -> Member:
        """Ask no phone's code of somebody whose phone is lost."""
        return self._settle(staff_id, administration.switch_code_off)

    def _settle(
        self, staff_id: int, rule: Callable[[Session, Administrator, int | None, int], object]
    ) -> Member:
        with self.changing() as session:
            rule(session, administrator(), self.school_id, staff_id)
            return administration.find_member(session, self.school_id, staff_id)

    def _lock(self, session: Session) -> None:
        """As the rules about staff do."""
        whole = select(School.id).where(School.id == self.school_id)
        if self.school_id is None:
            whole = select(Staff.id).where(Staff.school_id.is_(None)).order_by(Staff.id)
        session.execute(whole.with_for_update(key_share=True))
