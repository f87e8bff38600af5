"""What the tests look at from outside: the server by SQL, processes by /proc."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from adapters.embedded import EmbeddedPostgres

EVENTUALLY_S = 30.0
Serve = Callable[..., EmbeddedPostgres]


def sql(dsn: str, *statements: str) -> Any:
    """Run each in its own transaction; the first value of the last one's first row, None if it has none."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until `holds`, at most 30 s."""
    deadline_s = time.monotonic() + EVENTUALLY_S
    while not holds():
        assert time.monotonic() < deadline_s, "did not happen within 30 s"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """True also for a zombie that nobody reaps."""
    return stat_of(pid) == "" or ") Z " in stat_of(pid)


def stat_of(pid: int) -> str:
    """`pid (name) state …`, empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for_initdb(supervisor_pid: int) -> int:
    """Its pid, once it makes a cluster (before, the supervisor asks it for its version)."""
    pids: list[str] = []

    def is_at_work() -> bool:
        pids[:] = Path(f"/proc/{supervisor_pid}/task/{supervisor_pid}/children").read_text().split()[-1:]
        return bool(pids) and b"initdb" in words_of(int(pids[0])) and b"--pgdata" in words_of(int(pids[0]))

    eventually(is_at_work)
    return int(pids[0])


def words_of(pid: int) -> bytes:
    """Its command line, empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def attached_dsn(home: Path) -> str:
    dsn = EmbeddedPostgres(home).attach()
    assert dsn is not None
    return dsn
