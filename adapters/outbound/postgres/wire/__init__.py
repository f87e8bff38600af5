"""Connections, PostgreSQL's binary formats, pages of the log. Everything else stands on it."""
