"""What pages ask: each file one question, answered in a few queries."""
