"""Students and guardians: who they are, where they belong when, and what may be done with them."""
