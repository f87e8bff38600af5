"""The write path: commands in, one group commit at a time, events out. Uses wire."""
