"""The database of the settings: checked to be ours, with the login of each role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
import structlog

from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.outbound.postgres.setup.ensure_database import ensure_database
from adapters.outbound.postgres.setup.ensure_roles import Roles, ensure_roles
from adapters.outbound.postgres.setup.mark_instance import (
    ForeignDatabase,
    Instance,
    NotMigrated,
    mark_instance,
    read_instance,
)
from adapters.outbound.postgres.setup.migrate import MigrationFault, migrate
from adapters.outbound.postgres.wire.connection import conninfo, place_of
from adapters.settings.secrets import FILE as SECRETS_FILE
from adapters.settings.secrets import Secrets, find_secrets, keep_secrets, make_secrets
from adapters.settings.settings import Settings
from adapters.wiring.database.logins import LoginMissing, Logins

log = structlog.get_logger()


class DatabaseAway(OperatorError):
    """The database cannot be reached now; trying again may help."""


class Database(NamedTuple):
    """dsn:          the given DSN: of the owner, or of this process's role.
    logins:       the logins that this process has.
    held_secrets: None in a process that needs no secrets.
    roles:        None if all processes use one login.
    applied:      migrations that were applied just now.
    """

    dsn: str
    logins: Logins
    held_secrets: Secrets | None
    roles: Roles | None
    ledger_id: str
    applied: tuple[str, ...] = ()

    @property
    def secrets(self) -> Secrets:
        """Raises: OperatorError in a process without secrets."""
        if self.held_secrets is None:
            raise OperatorError(NO_SECRETS)
        return self.held_secrets

    def writer(self, name: str) -> str:
        """Connection parameters; the server shows `name` for the session."""
        return self._info("writer", name)

    def projector(self, name: str) -> str:
        return self._info("projector", name)

    def auditor(self, name: str) -> str:
        return self._info("auditor", name)

    def at(self, dsn: str) -> "Database":
        """The same database after its server moved to `dsn`. Only for the process that has the owner's login."""
        logins = Logins.of_one(dsn) if self.roles is None else Logins.derived(dsn, self.roles, self.secrets)
        return self._replace(dsn=dsn, logins=logins)

    def _info(self, role: str, name: str) -> str:
        try:
            return self.logins.info_of(role, name)
        except LoginMissing:
            raise OperatorError(f"this needs the login of the {role}, and DATABASE_URL is another role's") from None


NO_SECRETS = "no secrets: set GATEWAYZ_PEPPER and GATEWAYZ_KEYRING, or restore secrets.json"


def prepare_database(dsn: str, settings: Settings) -> Database:
    """Migrate, mark the database with our secrets (made now at the first start), create the roles. Harmless to repeat.

    dsn: of the owner: DATABASE_URL, or our database in the embedded server, which is created if it is missing.

    Raises: OperatorError if the database is unreachable or belongs to other secrets, if a migration was changed, or if
            the login may not prepare it.
    """
    with as_operator_errors(dsn, settings):
        info = conninfo(dsn, name="gatewayz migrate")
        if not settings.database_url:
            ensure_database(info)
        applied = migrate(info)
        instance = read_instance(info)
        secrets = find_secrets(settings.home)
        if secrets is None:
            if instance.fingerprint is not None:
                raise ForeignDatabase
            secrets = keep_secrets(settings.home, make_secrets())
        mark_instance(info, instance.fingerprint, secrets.fingerprints)
        roles = _made_roles(info, instance, secrets) if settings.one_role == "off" else None
        logins = Logins.of_one(dsn) if roles is None else Logins.derived(dsn, roles, secrets)
        return Database(dsn, logins, secrets, roles, str(instance.ledger_id), tuple(applied))


def open_database(dsn: str, settings: Settings, *, needs_secrets: bool = True) -> Database:
    """Open a prepared database with the login of `dsn`. Raises: OperatorError."""
    secrets = find_secrets(settings.home)
    if secrets is None and needs_secrets:
        raise OperatorError(
            f"no secrets: {settings.home / SECRETS_FILE} is missing; run `gatewayz migrate`, or set GATEWAYZ_PEPPER and"
            " GATEWAYZ_KEYRING"
        )
    with as_operator_errors(dsn, settings):
        instance = read_instance(conninfo(dsn, name="gatewayz"))
        if secrets is not None and instance.fingerprint not in secrets.fingerprints:
            raise ForeignDatabase
        logins, roles = _logins(dsn, settings, instance, secrets)
        return Database(dsn, logins, secrets, roles, str(instance.ledger_id))


def _logins(dsn: str, settings: Settings, instance: Instance, secrets: Secrets | None) -> tuple[Logins, Roles | None]:
    roles = instance.roles
    if instance.login in roles.logins and not instance.may_change:
        return Logins.of_role(dsn, instance.login, roles), roles
    if instance.has_roles and settings.one_role == "off" and secrets is not None:
        return Logins.derived(dsn, roles, secrets), roles
    return Logins.of_one(dsn), None


def _made_roles(info: str, instance: Instance, secrets: Secrets) -> Roles | None:
    roles = instance.roles
    if ensure_roles(info, roles, {role: secrets.password_of(role) for role in roles.logins}):
        return roles
    log.warning("one role for everything: this login may not create roles", login=instance.login)
    return None


@contextmanager
def as_operator_errors(dsn: str, settings: Settings) -> Iterator[None]:
    """Turn each reason why a database cannot be used into an OperatorError of one line."""
    try:
        yield
    except psycopg.OperationalError as error:
        line = f"cannot reach the database {place_of(dsn)}: {_reason(error)}; {_way_out(settings)}"
        raise DatabaseAway(line) from error
    except psycopg.errors.InsufficientPrivilege as error:
        line = f"the login of DATABASE_URL may not do this in {place_of(dsn)}: {_reason(error)}"
        raise OperatorError(f"{line}; `migrate` and `serve` take the owner's", WRONG_INPUT) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # libpq could not parse it; its message may quote the password
            raise OperatorError(
                "DATABASE_URL is not a PostgreSQL URL such as postgresql://user:password@host/db", WRONG_INPUT
            ) from None
        raise
    except MigrationFault as error:
        raise OperatorError(f"the database {place_of(dsn)} cannot be migrated: {error}") from error
    except NotMigrated:
        raise OperatorError(f"the database {place_of(dsn)} has no ledger yet: run `gatewayz migrate`") from None
    except ForeignDatabase:
        raise OperatorError(
            f"the database {place_of(dsn)} was made with other secrets than these: restore its {SECRETS_FILE} to"
            f" {settings.home}, or set GATEWAYZ_PEPPER and GATEWAYZ_KEYRING to what they were"
        ) from None


def _reason(error: psycopg.Error) -> str:
    """libpq's message, which names host and cause, never a password; without its hints, which are indented."""
    lines = [line for line in str(error).splitlines() if line and not line[0].isspace()]
    return " ".join(lines) or type(error).__name__


def _way_out(settings: Settings) -> str:
    return "start it, or correct DATABASE_URL" if settings.database_url else "see postgres.log in its folder"
