"""`gatewayz database-url`: the database URL for a process that runs alone."""

from adapters.inbound.cli.actions import Process
from adapters.operator_error import OperatorError
from adapters.settings.settings import Settings
from adapters.wiring.database.find_database import reachable_database


def find_database_url(settings: Settings, process: Process) -> str:
    """The URL with the login of the role of `process`. Raises: OperatorError, EmbeddedPostgresError."""
    with reachable_database(settings) as database:
        if database.roles is None:
            raise OperatorError("this database has no roles: every process logs in with DATABASE_URL itself")
        match process:
            case "api":
                url = database.logins.writer
            case "projector":
                url = database.logins.projector
            case "auditor":
                url = database.logins.auditor
    if not url or (url == database.dsn and process == "auditor"):
        raise OperatorError(f"the login of DATABASE_URL does not know that of {process}: give the owner's")
    return url
