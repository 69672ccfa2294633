"""What `card-server clock` counts: its tasks, and the jobs that it worked on."""

from prometheus_client import Counter

TASKS = Counter("card_server_clock_tasks_total", "Tasks that are done each day or hour.", ["task"])
JOBS = Counter("card_server_clock_jobs_total", "Jobs that have ended here.", ["kind", "outcome"])
