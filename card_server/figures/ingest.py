"""What `card-server ingest` counts and measures."""

from prometheus_client import Counter, Gauge, Histogram

TAPS = Counter("card_server_ingest_taps_total", "Taps on record, new or known before.")
REJECTED = Counter(
    "card_server_ingest_rejected_total", "Taps and messages refused for good.", ["reason"]
)
BATCH = Histogram(
    "card_server_ingest_batch_taps", "Taps in a transaction.", buckets=(1, 5, 20, 100, 500, 5000)
)
COMMIT = Histogram(
    "card_server_ingest_commit_seconds",
    "From the arrival of a batch's oldest to its commit.",
)
DATABASE_AWAY = Gauge("card_server_ingest_database_away", "1 while a batch waits for the database.")
