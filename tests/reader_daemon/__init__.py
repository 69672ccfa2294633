"""The reader daemon, part by part, on real parts."""
