"""What each process counts and measures for Prometheus: one file a process, names of one form."""
