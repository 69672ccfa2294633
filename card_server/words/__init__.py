"""What stored words are called on pages, in files and at the command line."""
