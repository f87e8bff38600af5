"""Each long-running process uses the login of its own role: an attacker who takes it over must not own the log."""

from typing import Literal

from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.outbound.postgres.setup.mark_instance import Instance, read_instance
from adapters.outbound.postgres.wire.connection import conninfo
from adapters.settings.settings import Settings
from adapters.wiring.database.database import Database, as_operator_errors, open_database
from adapters.wiring.database.logins import Logins

Process = Literal["api", "projector"]


def open_as(process: Process, dsn: str, settings: Settings) -> Database:
    """The database for a process that runs alone, with only the logins that it needs.

    Raises: OperatorError; unless GATEWAYZ_ONE_ROLE is on, also if the login is of another role or may change the log.
    """
    database = open_database(dsn, settings, needs_secrets=process == "api")
    if settings.one_role == "on":
        return database._replace(logins=Logins.of_one(dsn), roles=None)
    if settings.database_url:
        _require_role(process, "DATABASE_URL", dsn, settings)
    logins = database.logins
    if process == "api":
        return database._replace(logins=Logins(writer=logins.writer))
    writer = settings.writer_url or logins.writer
    if not writer:
        raise OperatorError(
            "a projector expires reservations too, which its own login may not write: set GATEWAYZ_WRITER_URL to the"
            " DATABASE_URL of `api`",
            WRONG_INPUT,
        )
    if settings.writer_url:
        _require_role("api", "GATEWAYZ_WRITER_URL", writer, settings)
    return database._replace(logins=Logins(writer=writer, projector=logins.projector), held_secrets=None)


def _require_role(process: Process, variable: str, dsn: str, settings: Settings) -> None:
    with as_operator_errors(dsn, settings):
        instance = read_instance(conninfo(dsn, name="gatewayz"))
    wanted = instance.roles.writer if process == "api" else instance.roles.projector
    if instance.login != wanted or instance.may_change:
        raise OperatorError(
            f"{variable} of this process must log in as {wanted}, and logs in as {instance.login}{_who_is(instance)}:"
            f" take what `gatewayz database-url {process}` prints, or set GATEWAYZ_ONE_ROLE=on",
            WRONG_INPUT,
        )


def _who_is(instance: Instance) -> str:
    return ", who may change the log" if instance.may_change else ""
