"""Tests of card_server."""
