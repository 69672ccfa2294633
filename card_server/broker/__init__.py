"""The broker: its settings and certificates, and the server's connection to it."""
