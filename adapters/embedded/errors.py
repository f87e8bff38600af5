"""How the embedded Postgres refuses: one clear line that says what happened, where, and what to do."""

import re
from collections.abc import Sequence


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot do what was asked. `str(error)` is one line for a human.

    log_lines: the last lines of postgres.log or initdb (newest last) where they explain it, else empty.
    """

    def __init__(self, message: str, log_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log_lines = tuple(log_lines)


class AlreadySupervised(EmbeddedPostgresError):
    """Another live process owns this home: attach to its server instead of starting one."""


class UnsupportedPlatform(EmbeddedPostgresError):
    """No Postgres binaries for this machine: use DATABASE_URL or PG_BINDIR."""


class HomeUnreachable(EmbeddedPostgresError):
    """Run as root, the user that Postgres must drop to cannot enter the home: choose another folder."""


class PostgresDidNotStart(EmbeddedPostgresError):
    """initdb or postgres ended or did not become ready in time; `log_lines` holds its own words."""


def telling_line(lines: Sequence[str]) -> str:
    """What names the cause: the first FATAL, PANIC or error, else the last line, else a plain sentence.

    Not the last of them: a full disk ends as "PANIC: cannot abort transaction". Not what clients were answered while
    the server started: "FATAL: the database system is starting up".
    """
    for line in lines:
        cause = re.search(r"\b(FATAL|PANIC|error):(?! *the database system is ).*", line)
        if cause:
            return cause[0].strip()
    return lines[-1].strip() if lines else "it left no message"
