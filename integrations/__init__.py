"""Outside systems, one file each behind a small protocol; packages do not know each other."""
