"""Those who work with the system: their accounts and sessions."""
