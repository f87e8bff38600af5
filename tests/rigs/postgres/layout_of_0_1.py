"""The roles as the first version made them: tables and functions belong to the login that migrated."""

import psycopg

WRITER_FUNCTIONS = ("append", "load", "put_snapshots", "put_data_key", "drop_stale_answers", "stream_lock_key")


def make_roles_of_0_1(owner: str, prefix: str, password: str) -> None:
    """owner: DSN of the login that made the ledger."""
    writer, projector, auditor = (f"{prefix}_{name}" for name in ("writer", "projector", "auditor"))
    with psycopg.connect(owner, autocommit=True) as connection:
        for role in (writer, projector, auditor):
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'".encode())
            connection.execute(f"GRANT {role} TO CURRENT_USER".encode())
        for statement in (
            f"GRANT CONNECT ON DATABASE {connection.info.dbname} TO {writer}, {projector}, {auditor}",
            f"GRANT USAGE ON SCHEMA ledger TO {writer}, {projector}, {auditor}",
            f"GRANT USAGE ON SCHEMA content TO {writer}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {writer}, {projector}, {auditor}",
            f"REVOKE SELECT ON ledger.data_keys FROM {projector}, {auditor}",
            f"GRANT SELECT ON content.answers TO {writer}",
            f"GRANT SELECT ON public.schema_migrations TO {writer}, {projector}, {auditor}",
            "CREATE SCHEMA IF NOT EXISTS read",
            f"ALTER SCHEMA read OWNER TO {projector}",
            f"GRANT USAGE ON SCHEMA read TO {writer}, {auditor}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA read TO {writer}, {auditor}",
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {projector} IN SCHEMA read"
            f" GRANT SELECT ON TABLES TO {writer}, {auditor}",
            *(f"GRANT EXECUTE ON FUNCTION ledger.{name} TO {writer}" for name in WRITER_FUNCTIONS),
        ):
            connection.execute(statement.encode())
