"""Which service a reader's purpose names: one line a use of the card."""

from card_server.services.gate import record_passages
from card_server.services.protocol import Service
from schema.tables.readers import Purpose

SERVICES: dict[Purpose, Service] = {
    Purpose.GATE: record_passages,
}
