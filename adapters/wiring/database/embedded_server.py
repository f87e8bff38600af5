"""The embedded server of a home, and the name of our database in it."""

from adapters.embedded import EmbeddedPostgres
from adapters.settings import Settings

DATABASE = "gatewayz"


def embedded_postgres(settings: Settings) -> EmbeddedPostgres:
    return EmbeddedPostgres(settings.postgres_home, bindir=settings.pg_bindir)


def attached_dsn(settings: Settings) -> str | None:
    """DSN of our database in the embedded server of this home; None if no server accepts connections."""
    server = embedded_postgres(settings)
    return None if server.attach() is None else server.dsn(DATABASE)
