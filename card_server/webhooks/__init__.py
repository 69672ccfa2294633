"""Webhooks: other systems are told of taps, days, messages, cards, and of who comes and goes."""
