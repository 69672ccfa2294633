"""What a tap means: one file a use of the card."""
