"""`gatewayz migrate`."""

from collections.abc import Sequence
from contextlib import ExitStack

from adapters.embedded.home import prepare_home
from adapters.embedded.unprivileged import server_user
from adapters.settings.settings import Settings
from adapters.wiring.database import prepare_database
from adapters.wiring.embedded_server import DATABASE, attached_dsn, embedded_postgres


def migrate_database(settings: Settings) -> Sequence[str]:
    """Names of the migrations applied now. Starts the embedded server for its own duration if none runs."""
    with ExitStack() as stack:
        dsn = settings.database_url or attached_dsn(settings)
        if dsn is None:
            server = embedded_postgres(settings)
            server.start()
            stack.callback(server.stop)
            dsn = server.dsn(DATABASE)
        prepare_home(settings.home, None if settings.database_url else server_user(settings.postgres_home / "pgdata"))
        return prepare_database(dsn, settings).applied
