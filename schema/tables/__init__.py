"""The database, one file per subject; every table is a SQLAlchemy 2 class."""
