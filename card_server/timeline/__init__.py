"""A student's timeline: one file a source, merged by time; `protocol.py` says what one is."""
