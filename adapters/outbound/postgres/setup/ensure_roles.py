"""Database roles: who owns the ledger, who appends, who projects, who audits (docs/decisions/0010)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import psycopg
from psycopg import sql

from adapters.outbound.postgres.wire.locks import SETUP

WRITER_FUNCTIONS = (
    "ledger.append",
    "ledger.load",
    "ledger.put_snapshots",
    "ledger.put_data_key",
    "ledger.drop_stale_answers",
    "ledger.stream_lock_key",
)
"""The writer may call only these functions, apart from reading: the append is its only way to write the log."""

RECORDS_OF_MIGRATIONS = ("public.schema_migrations", "public.schema_functions")
"""Migrations and functions that `migrate` has applied; every role may read them."""

AUDITOR_CONNECTIONS = 20
"""`verify` opens at most five; four runs at once are enough."""

PROJECTOR_CONNECTIONS = 40
"""A projector process opens a handful. Only the writer can use the server's other connections."""

AUDITOR_SETTINGS: Mapping[str, str] = {
    "default_transaction_read_only": "on",
    "statement_timeout": "15min",
    "idle_in_transaction_session_timeout": "5min",
    "idle_session_timeout": "15min",
}
"""Defaults of a session, against mistakes: an open transaction keeps vacuum from its work. A session may set them
differently (`verify` does for its one long transaction): the auditor's limits are its grants."""


class Roles(NamedTuple):
    """Names of the roles of one database; cluster-wide, hence prefixed with the database's name.

    owner: owns schemas, tables and functions of the ledger, and cannot log in.
    """

    writer: str
    projector: str
    auditor: str
    owner: str

    @classmethod
    def of(cls, prefix: str) -> "Roles":
        return cls(f"{prefix}_writer", f"{prefix}_projector", f"{prefix}_auditor", f"{prefix}_owner")

    @property
    def logins(self) -> tuple[str, str, str]:
        return self.writer, self.projector, self.auditor


def ensure_roles(info: str, roles: Roles, passwords: Mapping[str, str]) -> bool:
    """Create or update the roles, give the ledger to its owner and each role its grants. Safe to repeat.

    info:      of a login that may create roles and owns the database, or of a superuser.
    passwords: by role name, for `roles.logins`. Only their SCRAM verifiers are sent, because statements are logged.
    Returns:   False if the login may not do that: everything then runs as that login; `/ready` and `verify` report it.
    """
    with psycopg.connect(info, autocommit=True) as connection:
        if not _may_create_roles(connection):
            return False
        try:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP])
                _create(connection, roles.owner, "NOLOGIN")
                for role in roles.logins:
                    _create(connection, role, "LOGIN", passwords[role])
                _hand_over(connection, roles)
                _grant(connection, roles)
                _bound(connection, roles)
        except psycopg.errors.InsufficientPrivilege:
            return False
    return True


def _may_create_roles(connection: psycopg.Connection) -> bool:
    """Check before any statement names a role, since the server logs refused statements."""
    row = connection.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user").fetchone()
    return row == (True,)


def _create(connection: psycopg.Connection, role: str, login: str, password: str | None = None) -> None:
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None
    statement = sql.SQL(("ALTER" if exists else "CREATE") + f" ROLE {{}} {login}").format(sql.Identifier(role))
    if password is not None:
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
        statement += sql.SQL(" PASSWORD {}").format(sql.Literal(verifier.decode()))
    connection.execute(statement)
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


# ---- ownership

OWNED_BY_OTHERS = """
WITH ours AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname IN ('ledger', 'content'))
SELECT kind, name FROM (
    SELECT 'SCHEMA' AS kind, quote_ident(nspname) AS name, nspowner AS owner FROM ours
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                          ELSE 'TABLE' END, c.oid::regclass::text, c.relowner
      FROM pg_class c JOIN ours ON c.relnamespace = ours.oid
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
    UNION ALL
    SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner FROM pg_proc p JOIN ours ON p.pronamespace = ours.oid
    UNION ALL
    SELECT 'TYPE', t.oid::regtype::text, t.typowner
      FROM pg_type t JOIN ours ON t.typnamespace = ours.oid LEFT JOIN pg_class c ON c.oid = t.typrelid
     WHERE t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c'
) AS found (kind, name, owner)
WHERE owner <> (SELECT oid FROM pg_roles WHERE rolname = %s)
"""
"""Sequences of a column follow their table."""


def _hand_over(connection: psycopg.Connection, roles: Roles) -> None:
    """Give the owner the objects of the login that ran the migrations."""
    owner = sql.Identifier(roles.owner)
    # A new owner must be allowed to create where the object is.
    connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA ledger, content TO {}").format(owner))
    for kind, name in connection.execute(OWNED_BY_OTHERS, [roles.owner]).fetchall():
        connection.execute(sql.SQL(f"ALTER {kind} {name} OWNER TO {{}}").format(owner))
    with (
        suppress(psycopg.errors.InsufficientPrivilege),
        connection.transaction(),
    ):  # `public` may belong to another role
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(owner))
        for table in RECORDS_OF_MIGRATIONS:
            connection.execute(sql.SQL(f"ALTER TABLE {table} OWNER TO {{}}").format(owner))
        connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(owner))


def _grant(connection: psycopg.Connection, roles: Roles) -> None:
    _execute(
        connection,
        roles,
        "GRANT CONNECT ON DATABASE {database} TO {writer}, {projector}, {auditor}",
        "GRANT USAGE ON SCHEMA ledger TO {writer}, {projector}, {auditor}",
        "GRANT USAGE ON SCHEMA content TO {writer}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {writer}, {projector}, {auditor}",
        "REVOKE SELECT ON ledger.data_keys FROM {projector}, {auditor}",
        "GRANT SELECT (account_id) ON ledger.data_keys TO {auditor}",
        "GRANT SELECT ON content.answers TO {writer}",
        *(f"GRANT SELECT ON {table} TO {{writer}}, {{projector}}, {{auditor}}" for table in RECORDS_OF_MIGRATIONS),
        "CREATE SCHEMA IF NOT EXISTS read",
        "ALTER SCHEMA read OWNER TO {projector}",
        "GRANT USAGE ON SCHEMA read TO {writer}, {auditor}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA read TO {writer}, {auditor}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {projector} IN SCHEMA read GRANT SELECT ON TABLES TO {writer}, {auditor}",
        "REVOKE ALL ON ALL ROUTINES IN SCHEMA ledger, content FROM PUBLIC",
        *(f"GRANT EXECUTE ON FUNCTION {function} TO {{writer}}" for function in WRITER_FUNCTIONS),
    )


# ---- limits, so that no role can block the others

LOCKS = r"^pg_(try_)?advisory_"
"""Advisory locks: appends, turns and migrations wait for them, so a role that may take one could stop the ledger."""

LARGE_OBJECTS = r"^(lo_|loread$|lowrite$)"
"""Functions that write regardless of table grants; nothing here needs them."""

OPEN_TO_ALL = """
SELECT oid::regprocedure::text FROM pg_proc
 WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ %s AND has_function_privilege('public', oid, 'EXECUTE')
"""
IS_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
HAS_RESERVED_SLOTS = "SELECT count(*) = 1 FROM pg_roles WHERE rolname = 'pg_use_reserved_connections'"  # from 16 on


def _bound(connection: psycopg.Connection, roles: Roles) -> None:
    settings = [f"ALTER ROLE {{auditor}} SET {name} = '{value}'" for name, value in AUDITOR_SETTINGS.items()]
    _execute(
        connection,
        roles,
        f"ALTER ROLE {{auditor}} CONNECTION LIMIT {AUDITOR_CONNECTIONS}",
        f"ALTER ROLE {{projector}} CONNECTION LIMIT {PROJECTOR_CONNECTIONS}",
        *settings,
        "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
    )
    if connection.execute(IS_SUPERUSER).fetchone() == (True,):
        _close_functions(connection, roles)
        if connection.execute(HAS_RESERVED_SLOTS).fetchone() == (True,):
            _execute(connection, roles, "GRANT pg_use_reserved_connections TO {writer}")


def _close_functions(connection: psycopg.Connection, roles: Roles) -> None:
    """Only a superuser can close the server's own functions; SECURITY.md lists those that another login leaves open."""
    if locks := _open_to_all(connection, LOCKS):
        _execute(connection, roles, f"REVOKE EXECUTE ON FUNCTION {locks} FROM PUBLIC")
        _execute(connection, roles, f"GRANT EXECUTE ON FUNCTION {locks} TO {{owner}}, {{writer}}, {{projector}}")
    if large_objects := _open_to_all(connection, LARGE_OBJECTS):
        _execute(connection, roles, f"REVOKE EXECUTE ON FUNCTION {large_objects} FROM PUBLIC")


def _open_to_all(connection: psycopg.Connection, pattern: str) -> str:
    rows: Sequence[tuple[str]] = connection.execute(OPEN_TO_ALL, [pattern]).fetchall()
    return ", ".join(name for (name,) in rows)


def _execute(connection: psycopg.Connection, roles: Roles, *statements: str) -> None:
    names = {name: sql.Identifier(role) for name, role in roles._asdict().items()}
    database = sql.Identifier(connection.info.dbname)
    for statement in statements:
        connection.execute(sql.SQL(statement).format(database=database, **names))
