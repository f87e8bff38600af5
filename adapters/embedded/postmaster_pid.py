"""Find the live Postgres of a data folder, and clear the folder of one without a supervisor.

postmaster.pid alone proves nothing: after a kill -9 or a power cut it names a pid that may be dead, a zombie, or
reused by another program. So /proc is read: a server is a live process called `postgres` with the data folder as its
working directory. Zombies have no working directory, other programs have another.
"""

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded import child
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.unprivileged import UnprivilegedUser

# An orphan has got its death signal and writes a shutdown checkpoint: seconds on a slow disk.
FAST_SHUTDOWN_S = 20.0
# Without a checkpoint, so crash recovery follows. Postgres itself kills children that linger for 5 s.
IMMEDIATE_SHUTDOWN_S = 10.0
_END_POLL_S = 0.05

# Shell builtins only, no fork per process. Runs as the server's user, because root without CAP_SYS_PTRACE (Docker's
# default) may not inspect another user's process.
_LIST_SERVERS = """
for process in /proc/[0-9]*; do
    { read -r name < "$process/comm"; } 2>/dev/null || continue
    [ "$name" = postgres ] && [ "$process/cwd" -ef "$0" ] && echo "${process#/proc/}"
done
exit 0
"""


@dataclass(frozen=True)
class PostmasterPid:
    """Content of postmaster.pid. Source: src/include/utils/pidfile.h, lines 1, 4 and 8."""

    pid: int
    port: int | None  # port None and status "" while the file is not complete
    status: str  # "starting", "stopping", "ready" or "standby"


def read_postmaster_pid(data_folder: Path) -> PostmasterPid | None:
    """None if the file is missing or names no pid. Raises PermissionError if the cluster is another user's."""
    try:
        lines = (data_folder / "postmaster.pid").read_text(errors="replace").splitlines() + [""] * 8
        pid = int(lines[0])
    except (FileNotFoundError, ValueError):
        return None
    return PostmasterPid(pid, int(lines[3]) if lines[3].isdecimal() else None, lines[7].strip())


def servers_in(data_folder: Path, user: UnprivilegedUser | None) -> frozenset[int]:
    """Pids of the live Postgres processes (postmaster and its children) that work in `data_folder`."""
    _, pids = child.ask(["/bin/sh", "-c", _LIST_SERVERS, data_folder], user)
    return frozenset(int(pid) for pid in pids.split() if pid.isdecimal())


def clear_the_way(data_folder: Path, user: UnprivilegedUser | None, deadline_s: float) -> None:
    """End all servers of `data_folder` and remove a stale postmaster.pid. Call it only while holding the lock.

    A live postmaster is the orphan of a killed supervisor: it gets the shutdown signals, then SIGKILL. Processes
    without a postmaster (a backend in a long query notices late) are killed: they block the next start, and crash
    recovery follows anyway.
    deadline_s: on time.monotonic(). Raises EmbeddedPostgresError when it passes.
    """
    began_s = time.monotonic()
    while servers := servers_in(data_folder, user):
        postmaster = _postmaster_among(servers, data_folder)
        if postmaster is not None:
            _send(postmaster, _signal_after(time.monotonic() - began_s))
        else:
            for pid in servers:
                _send(pid, signal.SIGKILL)
        if time.monotonic() > deadline_s:
            raise EmbeddedPostgresError(f"Postgres (pid {min(servers)}) in {data_folder} does not stop: end it by hand")
        time.sleep(_END_POLL_S)
    (data_folder / "postmaster.pid").unlink(missing_ok=True)


def _postmaster_among(servers: frozenset[int], data_folder: Path) -> int | None:
    named = read_postmaster_pid(data_folder)
    return named.pid if named is not None and named.pid in servers else None


def _signal_after(waited_s: float) -> signal.Signals:
    """Fast shutdown, then immediate shutdown, then SIGKILL. Postgres ignores repeated signals."""
    if waited_s < FAST_SHUTDOWN_S:
        return signal.SIGINT
    return signal.SIGQUIT if waited_s < FAST_SHUTDOWN_S + IMMEDIATE_SHUTDOWN_S else signal.SIGKILL


def _send(pid: int, signal_number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended, as wanted
        os.kill(pid, signal_number)
        os.kill(pid, signal.SIGCONT)  # a stopped process (SIGSTOP) would not act on the signal
