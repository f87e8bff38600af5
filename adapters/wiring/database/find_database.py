"""Finds the database: DATABASE_URL, a running embedded server, or one started until the command ends."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.embedded import AlreadySupervised, EmbeddedPostgres
from adapters.operator_error import OperatorError
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.settings.settings import Settings
from adapters.wiring.database.database import Database, open_database, prepare_database
from adapters.wiring.database.embedded_server import DATABASE, attached_dsn, embedded_postgres

COMES_UP_WITHIN_S = 15.0
"""Another process may be starting or restarting the server."""


def running_database(settings: Settings) -> Database:
    """The database of a running instance. Raises: OperatorError if no server runs."""
    return open_database(running_dsn(settings), settings)


def running_dsn(settings: Settings) -> str:
    """DATABASE_URL, or the owner's DSN for a running embedded server. Raises: OperatorError if no server runs."""
    dsn = settings.database_url or _dsn_within(settings, COMES_UP_WITHIN_S)
    if dsn is None:
        raise OperatorError(f"no server runs in {settings.postgres_home}: start `gatewayz serve`, or set DATABASE_URL")
    return dsn


@contextmanager
def owner_s_dsn(settings: Settings) -> Iterator[str]:
    """DSN of a running database; otherwise the embedded server runs until the block ends. Main thread only.

    Raises: OperatorError, EmbeddedPostgresError.
    """
    server = None if settings.database_url or attached_dsn(settings) else _started(settings)
    try:
        yield server.dsn(DATABASE) if server else running_dsn(settings)
    finally:
        if server is not None:
            server.stop()


@contextmanager
def reachable_database(settings: Settings) -> Iterator[Database]:
    """The database of a running instance; otherwise the embedded server and a projector run until the block ends.

    Main thread only. Raises: OperatorError, EmbeddedPostgresError.
    """
    server = None if settings.database_url or attached_dsn(settings) else _started(settings)
    if server is None:
        yield running_database(settings)
        return
    try:
        database = prepare_database(server.dsn(DATABASE), settings)
        with _projected(database):
            yield database
    finally:
        server.stop()


def _started(settings: Settings) -> EmbeddedPostgres | None:
    """The embedded server, started by us; None if a starting `serve` has it. Raises: OperatorError if there is none."""
    if not (settings.postgres_home / "pgdata").exists():
        raise OperatorError(f"nothing was started in {settings.home} yet: run `gatewayz serve`, or set GATEWAYZ_HOME")
    server = embedded_postgres(settings)
    try:
        server.start()
    except AlreadySupervised:
        return None
    return server


@contextmanager
def _projected(database: Database) -> Iterator[None]:
    """Bring the read models up to date and keep them so until the block ends, as in a running instance."""
    projector = Projector(database.projector("gatewayz projector"))
    projector.catch_up()
    thread = threading.Thread(target=projector.run, name="projector")
    thread.start()
    try:
        yield
    finally:
        projector.stop()
        thread.join()


def _dsn_within(settings: Settings, patience_s: float) -> str | None:
    deadline_s = time.monotonic() + patience_s
    while (dsn := attached_dsn(settings)) is None and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return dsn
