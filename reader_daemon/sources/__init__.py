"""Where cards are read, one file per kind of reader."""
