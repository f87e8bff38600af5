"""The leader of a build writes it: the session that holds its advisory lock. A lost session loses the lead.

One lock for each read model, version and log: a newer release leads its own versions beside an older one's.
"""

import psycopg

from adapters.outbound.postgres.wire.locks import LEAD_ALL_BUILDS, LEAD_BUILD_SEED
from domain.log import LOG_ID
from projections.engine.changes import Projection

LOCK = f"hashtextextended(%s, {LEAD_BUILD_SEED})"
LEAD = f"SELECT pg_try_advisory_lock({LOCK})".encode()
LET_GO = f"SELECT pg_advisory_unlock({LOCK})".encode()
HOLD = f"SELECT pg_try_advisory_xact_lock({LOCK})".encode()


def lead(connection: psycopg.Connection, build: Projection) -> bool:
    """Lead `build` for as long as `connection` lasts, if no other session leads it."""
    shared = connection.execute("SELECT pg_try_advisory_lock_shared(%s)", [LEAD_ALL_BUILDS]).fetchone()
    if shared != (True,):
        return False
    return connection.execute(LEAD, [lock_of(build.name, build.version)]).fetchone() == (True,)


def let_go(connection: psycopg.Connection, build: Projection) -> None:
    """Release the lock, so that another session can lead the build at once."""
    connection.execute(LET_GO, [lock_of(build.name, build.version)])


def is_led(connection: psycopg.Connection, name: str, version: int) -> bool:
    """Whether another session leads it now; if not, none can before this transaction ends."""
    return connection.execute(HOLD, [lock_of(name, version)]).fetchone() != (True,)


def lock_of(name: str, version: int) -> str:
    return f"read model {name} v{version} of log {LOG_ID}"
