"""Marks which secrets a database was made with: the one row of ledger.instance."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg

from adapters.outbound.postgres.setup.ensure_roles import Roles

READ = """
SELECT i.ledger_id, i.fingerprint, EXISTS (SELECT FROM pg_roles WHERE rolname = %s), r.rolname,
       r.rolsuper OR r.rolcreaterole OR pg_has_role(r.oid, n.nspowner, 'MEMBER')
  FROM ledger.instance i, pg_roles r, pg_namespace n
 WHERE r.rolname = current_user AND n.nspname = 'ledger'
"""


class Instance(NamedTuple):
    """A database with a ledger.

    fingerprint:  of the secrets that it was made with; None before its first start.
    roles:        their names in this database; has_roles: whether they exist.
    login:        the current role; may_change: whether it owns the ledger, or could become a role that does.
    """

    ledger_id: UUID
    fingerprint: bytes | None
    roles: Roles
    has_roles: bool
    login: str
    may_change: bool


class NotMigrated(Exception):
    """The database has no ledger yet."""


class ForeignDatabase(Exception):
    """The database was made with other secrets: its keys and personal data cannot be read with ours."""


def read_instance(info: str) -> Instance:
    """Raises: NotMigrated, psycopg.Error."""
    with psycopg.connect(info, autocommit=True) as connection:
        roles = Roles.of(connection.info.dbname)
        try:
            row = connection.execute(READ, [roles.writer]).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            row = None
    if row is None:
        raise NotMigrated
    ledger_id, fingerprint, has_roles, login, may_change = row
    return Instance(ledger_id, fingerprint, roles, has_roles, login, may_change)


def mark_instance(info: str, found: bytes | None, fingerprints: Sequence[bytes]) -> None:
    """Claim a fresh database for our secrets, or check that it is ours; `info` is the owner's.

    found:        its fingerprint, as read before.
    fingerprints: one for each key of the ring. A database marked with an older key is marked with the new one.
    Raises: ForeignDatabase.
    """
    if found is not None and found not in fingerprints:
        raise ForeignDatabase
    if found == fingerprints[0]:
        return
    with psycopg.connect(info, autocommit=True) as connection:
        marked = connection.execute(
            "UPDATE ledger.instance SET fingerprint = %s WHERE fingerprint IS NOT DISTINCT FROM %s",
            [fingerprints[0], found],
        )
        if marked.rowcount == 0:  # the first start of another process came in between
            raise ForeignDatabase
