"""Finds the database of the settings, and the login of each process."""
