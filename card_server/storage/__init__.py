"""The database: opening it, many rows at once, sealed numbers, one process a role."""
