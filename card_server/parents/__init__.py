"""Guardians' own page (家长页面): who may open it, and how narrow what they see is."""
