"""How a decision is shown to the person who tapped, one file per kind."""
