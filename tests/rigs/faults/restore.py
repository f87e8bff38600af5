"""A database put back to an earlier state of itself, as from a backup."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

SESSIONS_END_S = 30.0


@contextmanager
def backup_of(dsn: str, server_dsn: str) -> Iterator[Callable[[], None]]:
    """Taken now; yields what restores it. Nobody else may be able to connect during either."""
    name = str(conninfo_to_dict(dsn)["dbname"])
    kept = f"backup_{secrets.token_hex(4)}"
    with psycopg.connect(server_dsn, autocommit=True) as server:
        copy(server, name, kept)

        def restore() -> None:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            copy(server, kept, name)

        yield restore
        server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(kept)))


def copy(server: "psycopg.Connection[tuple[int]]", source: str, target: str) -> None:
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source])
    deadline_s = time.monotonic() + SESSIONS_END_S
    while server.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [source]).fetchone() != (0,):
        assert time.monotonic() < deadline_s, "somebody is still connected"
        time.sleep(0.05)
    server.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(target), sql.Identifier(source)
        )
    )
