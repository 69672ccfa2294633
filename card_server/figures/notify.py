"""What `card-server notify` counts and measures: messages to guardians, events to webhooks."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "card_server_notify_messages_total", "Tries, by what became of the message.", ["outcome"]
)
QUEUE_AGE = Gauge(
    "card_server_notify_message_queue_age_seconds", "How long the oldest due message has waited."
)
CARRIER = Histogram("card_server_notify_carrier_seconds", "How long the carrier took to answer.")
EVENTS = Counter("card_server_notify_events_total", "Tries to deliver an event.", ["outcome"])
RECEIVER = Histogram(
    "card_server_notify_receiver_seconds", "How long a webhook's receiver took to answer."
)
