"""How Alembic runs our migrations: on the connection that the caller hands over."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from schema import tables
from schema.tables.metadata import Choice, Table, UtcDateTime

for module in iter_modules(tables.__path__):
    import_module(f"schema.tables.{module.name}")


def _render_plain(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Migrations name the database's own types, so that they outlive changes of our classes."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Choice):
        return f"sa.String(length={item.impl_instance.length})"  # type: ignore[attr-defined]
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    render_item=_render_plain,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
