"""Messages to guardians: what is told to whom, when, how often, and what became of it."""
