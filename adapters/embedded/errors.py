"""Errors of the embedded Postgres: one line that names what happened, where, and what to do."""

import re
from collections.abc import Sequence


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot do what was asked. `str(error)` is one line for a human.

    log_lines: the last lines of postgres.log or initdb (newest last) if they explain the error, else empty.
    """

    def __init__(self, message: str, log_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log_lines = tuple(log_lines)


class AlreadySupervised(EmbeddedPostgresError):
    """Another live process owns this home: attach to its server instead of starting one."""


class UnsupportedPlatform(EmbeddedPostgresError):
    """No Postgres binaries for this machine: use DATABASE_URL or PG_BINDIR."""


class HomeUnreachable(EmbeddedPostgresError):
    """We are root and the user for Postgres cannot enter the home: choose another folder."""


class PostgresDidNotStart(EmbeddedPostgresError):
    """initdb or postgres ended or did not become ready in time; `log_lines` holds its output."""


def telling_line(lines: Sequence[str]) -> str:
    """The line that names the cause: the first FATAL, PANIC or error, else the last line, else a plain sentence.

    Not the last error: a full disk ends with "PANIC: cannot abort transaction". Not the server's answers to clients
    during its start: "FATAL: the database system is starting up".
    """
    for line in lines:
        cause = re.search(r"\b(FATAL|PANIC|error):(?! *the database system is ).*", line)
        if cause:
            return cause[0].strip()
    return lines[-1].strip() if lines else "it left no message"
