"""How the carriers do, written down for the pages that show it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from card_server.sending.choosing import State
from schema.tables.messages import CarrierHealth


def write_down(connection: Connection, states: Sequence[State], now: datetime) -> None:
    """Each carrier's row, as this process sees it; the last notifier to write is right."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(CarrierHealth)
    changed = {name: insert.excluded[name] for name in (*State._fields[1:], "changed_at")}
    rows = [one._asdict() | {"changed_at": now} for one in sorted(states)]
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=changed), rows)
