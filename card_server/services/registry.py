"""Which service a reader's purpose names: one line a use of the card."""

from card_server.services.desk import record_reads
from card_server.services.enrolment import record_registrations
from card_server.services.gate import record_passages
from card_server.services.protocol import Service
from schema.tables.readers import Purpose

SERVICES: dict[Purpose, Service] = {
    Purpose.DESK: record_reads,
    Purpose.ENROLMENT: record_registrations,
    Purpose.GATE: record_passages,
}
