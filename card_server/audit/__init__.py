"""The audit log: writing, reading and checking who did what to whom."""
