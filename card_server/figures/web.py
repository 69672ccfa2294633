"""What `card-server web` counts: what carriers call in to tell."""

from prometheus_client import Counter

CALLBACKS = Counter(
    "card_server_web_callbacks_total",
    "Calls of carriers, by whether they were genuine.",
    ["carrier", "outcome"],
)
