"""Makes the home folder, and checks that it is usable, before files are written to it."""

from adapters.embedded.home import prepare_home
from adapters.embedded.unprivileged import server_user
from adapters.operator_error import OperatorError
from adapters.settings import Settings


def make_home(settings: Settings) -> None:
    """Raises: OperatorError, EmbeddedPostgresError."""
    try:
        prepare_home(settings.home, None if settings.database_url else server_user(settings.postgres_home / "pgdata"))
    except OSError as error:
        raise OperatorError(
            f"cannot use {settings.home} as home: {error.strerror}; set GATEWAYZ_HOME to a folder"
        ) from error
