"""Which database is meant, and how each process logs in to it."""
