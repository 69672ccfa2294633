"""Cards: each step of their lives, their numbers, and the lists that readers judge by."""
