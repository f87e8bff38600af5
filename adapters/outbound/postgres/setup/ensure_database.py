"""Creates our own database in our own server."""

import contextlib

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

ALWAYS_THERE = "postgres"

OTHERS = (ALWAYS_THERE, "template1")
"""Other databases of the server, to be closed to our roles: what is closed to them in ours is open there."""

IS_OPEN = "SELECT has_database_privilege('public', oid, 'CONNECT') FROM pg_database WHERE datname = %s"


def ensure_database(info: str) -> None:
    """Create the database that `info` names if it is missing, and close the server's other databases to all
    other roles. Connects as superuser."""
    name = str(conninfo_to_dict(info)["dbname"])
    with psycopg.connect(info, dbname=ALWAYS_THERE, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase):  # another process was first
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        for other in OTHERS:
            if connection.execute(IS_OPEN, [other]).fetchone() == (True,):
                revoke = sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC")
                connection.execute(revoke.format(sql.Identifier(other)))
