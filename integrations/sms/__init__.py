"""Carriers of short messages, one file each."""
