"""Database roles: owner (DDL), writer (SELECT and the append), projector (owns the read schema), auditor (SELECT)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

LOCK_KEY = 7_426_930_117
"""Two processes that start at once would create the same role, or grant on the same table, and one would fail."""

WRITER_FUNCTIONS = (
    "ledger.append(uuid[], bytea[], uuid[], int[], boolean[], text[], bigint[], boolean[], int[], uuid[], text[],"
    " bigint[], text[], bytea[], uuid[], int[], text[], bytea[], boolean[], int[], text[], bytea[], timestamptz[])",
    "ledger.load(text[], int[])",
    "ledger.put_snapshots(text[], bigint[], int[], bytea[])",
    "ledger.put_data_key(text, bytea)",
    "ledger.drop_stale_answers()",
    "ledger.stream_lock_key(text)",
)
"""All that the writer may do besides reading: it has no way to write the log but the append."""


class Roles(NamedTuple):
    """Names of the roles of one database; cluster-wide, hence prefixed with the database's name."""

    writer: str
    projector: str
    auditor: str

    @classmethod
    def of(cls, prefix: str) -> "Roles":
        return cls(f"{prefix}_writer", f"{prefix}_projector", f"{prefix}_auditor")


def ensure_roles(info: str, roles: Roles, passwords: Mapping[str, str]) -> bool:
    """Create or update the roles with `passwords` (by role name) and their grants; `info` is the owner's.

    Returns: False if the owner may not create roles: everything runs as one role then; `/ready` and `verify` say so.
    """
    with psycopg.connect(info, autocommit=True) as connection:
        try:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
                for role in roles:
                    _create(connection, role, passwords[role])
                _grant(connection, roles)
        except psycopg.errors.InsufficientPrivilege:
            return False
    return True


def _create(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None
    verb = "ALTER" if exists else "CREATE"
    connection.execute(sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


def _grant(connection: psycopg.Connection[Any], roles: Roles) -> None:
    names = {name: sql.Identifier(role) for name, role in roles._asdict().items()}
    database = sql.Identifier(connection.info.dbname)
    statements = [
        "GRANT CONNECT ON DATABASE {database} TO {writer}, {projector}, {auditor}",
        "GRANT USAGE ON SCHEMA ledger TO {writer}, {projector}, {auditor}",
        "GRANT USAGE ON SCHEMA content TO {writer}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {writer}, {projector}, {auditor}",
        "REVOKE SELECT ON ledger.data_keys FROM {projector}, {auditor}",
        "GRANT SELECT ON content.answers TO {writer}",
        "GRANT SELECT ON public.schema_migrations TO {writer}, {projector}, {auditor}",
        "CREATE SCHEMA IF NOT EXISTS read",
        "ALTER SCHEMA read OWNER TO {projector}",
        "GRANT USAGE ON SCHEMA read TO {writer}, {auditor}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA read TO {writer}, {auditor}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {projector} IN SCHEMA read GRANT SELECT ON TABLES TO {writer}, {auditor}",
        *(f"GRANT EXECUTE ON FUNCTION {function} TO {{writer}}" for function in WRITER_FUNCTIONS),
    ]
    for statement in statements:
        connection.execute(sql.SQL(statement).format(database=database, **names))
