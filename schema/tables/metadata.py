"""What all tables share: the metadata, key names, and the column types for times and choices."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, TypeVar

from sqlalchemy import DateTime, Dialect, ForeignKey, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

E = TypeVar("E", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every database; SQLite keeps it as text without a zone.

    On PostgreSQL nothing is to be done with what comes back: connections are opened in UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None] | None:
        if dialect.name == "postgresql":
            return None
        parse = self.impl_instance.result_processor(dialect, coltype)

        def process(value: Any) -> datetime | None:
            moment = parse(value) if parse else value
            return moment and moment.replace(tzinfo=UTC)

        return process


class Choice(TypeDecorator[E], Generic[E]):
    """A closed choice, stored as its word."""

    impl = String(24)
    cache_ok = True

    def __init__(self, choices: type[E]) -> None:
        super().__init__()
        self.choices = choices

    def process_bind_param(self, value: E | str | None, _dialect: Dialect) -> str | None:
        return None if value is None else self.choices(value).value

    def result_processor(
        self, _dialect: Dialect, _coltype: object
    ) -> Callable[[Any], E | None] | None:
        by_word: dict[str | None, E | None] = {choice.value: choice for choice in self.choices}
        by_word[None] = None
        return by_word.__getitem__


class Table(DeclarativeBase):
    """The root of all tables; keys and indexes are named by rule, so that migrations find them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime()}


class SchoolTable(Table):
    """A table with a `school_id`: each of its rows is one school's, and only that school reads it.

    Whoever looks for a caller limits all such tables at once (`card_server.staff.scope.narrow`).
    """

    __abstract__ = True

    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"))


Id = Annotated[int, mapped_column(primary_key=True)]
