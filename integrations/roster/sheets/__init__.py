"""Rosters out of spreadsheets: a table out of bytes, a meaning for each column, people."""
