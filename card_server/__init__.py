"""What the school runs: rules, and the edges that call them."""
