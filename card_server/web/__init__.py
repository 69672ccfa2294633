"""The pages that staff use, and the card tray of a demo."""
