"""A database of our own in a server of our own."""

import contextlib

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

ALWAYS_THERE = "postgres"


def ensure_database(info: str) -> None:
    """Create the database that `info` names unless it is there. Connects to the server's own database, as superuser."""
    name = str(conninfo_to_dict(info)["dbname"])
    with psycopg.connect(info, dbname=ALWAYS_THERE, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase):  # somebody else was first
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
