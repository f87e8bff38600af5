"""The database that all verbs mean: checked to be ours, and reachable under each role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from adapters.complaint import WRONG_INPUT, Complaint
from adapters.outbound.postgres.connection import conninfo, place_of
from adapters.outbound.postgres.ensure_database import ensure_database
from adapters.outbound.postgres.ensure_roles import Roles, ensure_roles
from adapters.outbound.postgres.mark_instance import ForeignDatabase, NotMigrated, mark_instance, read_instance
from adapters.outbound.postgres.migrate import MigrationFault, migrate
from adapters.settings.secrets import FILE as SECRETS_FILE
from adapters.settings.secrets import Secrets, find_secrets, keep_secrets, make_secrets
from adapters.settings.settings import Settings


class DatabaseAway(Complaint):
    """It cannot be reached now; in a moment it may be."""


class Database(NamedTuple):
    """dsn:     the owner's.
    roles:   None where the owner may not create any; everything runs as the owner then.
    applied: migrations that were applied just now.
    """

    dsn: str
    secrets: Secrets
    roles: Roles | None
    ledger_id: str
    applied: tuple[str, ...] = ()

    def writer(self, name: str) -> str:
        """Connection parameters; `name` is what the server shows for the session."""
        return self._as(self.roles.writer if self.roles else None, name)

    def projector(self, name: str) -> str:
        return self._as(self.roles.projector if self.roles else None, name)

    def auditor(self, name: str) -> str:
        return self._as(self.roles.auditor if self.roles else None, name)

    def _as(self, role: str | None, name: str) -> str:
        if role is None:
            return conninfo(self.dsn, name=name)
        return conninfo(self.dsn, user=role, password=self.secrets.password_of(role), name=name)


def prepare_database(dsn: str, settings: Settings) -> Database:
    """Migrate, claim for our secrets (made now if this is the first start), create the roles. Harmless to repeat.

    dsn: of DATABASE_URL, or of our database in the embedded server, which is created if it is missing.

    Raises: Complaint for a database out of reach, a changed migration, one that belongs to other secrets.
    """
    with _complaints(dsn, settings):
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
        roles = instance.roles
        has_roles = ensure_roles(info, roles, {role: secrets.password_of(role) for role in roles})
        return Database(dsn, secrets, roles if has_roles else None, str(instance.ledger_id), tuple(applied))


def open_database(dsn: str, settings: Settings) -> Database:
    """A database that was prepared before. Raises: Complaint."""
    secrets = find_secrets(settings.home)
    if secrets is None:
        raise Complaint(
            f"no secrets: {settings.home / SECRETS_FILE} is missing; run `gatewayz migrate`, or set GATEWAYZ_PEPPER and"
            " GATEWAYZ_KEYRING"
        )
    with _complaints(dsn, settings):
        instance = read_instance(conninfo(dsn, name="gatewayz"))
        if instance.fingerprint not in secrets.fingerprints:
            raise ForeignDatabase
        return Database(dsn, secrets, instance.roles if instance.has_roles else None, str(instance.ledger_id))


@contextmanager
def _complaints(dsn: str, settings: Settings) -> Iterator[None]:
    """Every way in which a database is not to be used, as one line each."""
    try:
        yield
    except psycopg.OperationalError as error:
        line = f"cannot reach the database {place_of(dsn)}: {_reason(error)}; {_way_out(settings)}"
        raise DatabaseAway(line) from error
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # libpq could not read it; what it says may quote the password
            raise Complaint(
                "DATABASE_URL is not a PostgreSQL URL such as postgresql://user:password@host/db", WRONG_INPUT
            ) from None
        raise
    except MigrationFault as error:
        raise Complaint(f"the database {place_of(dsn)} cannot be migrated: {error}") from error
    except NotMigrated:
        raise Complaint(f"the database {place_of(dsn)} has no ledger yet: run `gatewayz migrate`") from None
    except ForeignDatabase:
        raise Complaint(
            f"the database {place_of(dsn)} was made with other secrets than these: restore its {SECRETS_FILE} to"
            f" {settings.home}, or set GATEWAYZ_PEPPER and GATEWAYZ_KEYRING to what they were"
        ) from None


def _reason(error: psycopg.Error) -> str:
    """libpq's own words, which name host and cause, never a password; without its hints, which are indented."""
    told = [line for line in str(error).splitlines() if line and not line[0].isspace()]
    return " ".join(told) or type(error).__name__


def _way_out(settings: Settings) -> str:
    return "start it, or correct DATABASE_URL" if settings.database_url else "see postgres.log in its folder"
