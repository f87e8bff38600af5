"""What stands before the first request: database, roles, migrations, instance. Uses wire."""
