"""The school itself: its settings, terms, homerooms and readers."""
