"""Who writes a build: the session that holds its advisory lock, so that losing the session is losing the lead.

One lock for each read model, version and log: a newer release leads its own versions beside an older one's.
"""

from typing import Any

import psycopg

from adapters.outbound.postgres.builds.install_read_models import LEADER_LOCK
from domain.log import LOG_ID
from projections.engine.changes import Projection

LEAD = b"SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
LET_GO = b"SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
HOLD = b"SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


def lead(connection: psycopg.Connection[Any], build: Projection) -> bool:
    """Lead `build` for as long as `connection` lasts, if no other session leads it."""
    shared = connection.execute("SELECT pg_try_advisory_lock_shared(%s)", [LEADER_LOCK]).fetchone()
    if shared != (True,):
        return False
    return connection.execute(LEAD, [lock_of(build.name, build.version)]).fetchone() == (True,)


def let_go(connection: psycopg.Connection[Any], build: Projection) -> None:
    """For another session to lead it at once."""
    connection.execute(LET_GO, [lock_of(build.name, build.version)])


def is_led(connection: psycopg.Connection[Any], name: str, version: int) -> bool:
    """Whether some other session leads it now; if not, nobody will before this transaction ends."""
    return connection.execute(HOLD, [lock_of(name, version)]).fetchone() != (True,)


def lock_of(name: str, version: int) -> str:
    return f"read model {name} v{version} of log {LOG_ID}"
