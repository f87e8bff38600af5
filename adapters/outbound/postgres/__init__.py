"""The ledger in PostgreSQL: append, read, migrate. The only package that knows the eventsourcing library."""
