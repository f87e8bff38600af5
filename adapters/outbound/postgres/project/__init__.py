"""Writes one page of the log into the tables of the read models. Uses wire."""
