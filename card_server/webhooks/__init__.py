"""Webhooks: other systems are told of taps, of students' days and of messages."""
