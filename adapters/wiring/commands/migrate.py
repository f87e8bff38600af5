"""`gatewayz migrate`."""

from collections.abc import Sequence
from contextlib import ExitStack

from adapters.settings.settings import Settings
from adapters.wiring.database.database import prepare_database
from adapters.wiring.database.embedded_server import DATABASE, attached_dsn, embedded_postgres
from adapters.wiring.database.make_home import make_home


def migrate_database(settings: Settings) -> Sequence[str]:
    """Returns the names of the migrations applied now. Starts the embedded server for this, if no server runs."""
    make_home(settings)
    with ExitStack() as stack:
        dsn = settings.database_url or attached_dsn(settings)
        if dsn is None:
            server = embedded_postgres(settings)
            server.start()
            stack.callback(server.stop)
            dsn = server.dsn(DATABASE)
        return prepare_database(dsn, settings).applied
