"""Sending messages: taking what is due, choosing a carrier, and recording what became of it."""
