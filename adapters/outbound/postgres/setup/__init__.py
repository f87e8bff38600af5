"""Prepares the first request: database, roles, migrations, instance. Uses wire."""
