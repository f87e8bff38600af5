"""A supervisor to be killed: `python supervise.py HOME [option ...]`, run by the tests as its own process.

Says one line: `owns <server pid>`, `attached <dsn>` or `failed <error class>`; then watches until SIGTERM.
deaf:       ignore SIGINT and SIGTERM, so that a signal to the group shows whom else it hits.
no-ptrace:  give up CAP_SYS_PTRACE first, which Docker's root does not have.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_CAPBSET_DROP = 24
CAP_SYS_PTRACE = 19
ATTACH_WITHIN_S = 30.0


def give_up_ptrace() -> None:
    """Leave the bounding set and exec: root's new capabilities lack it. An ordinary user never had it."""
    if "GAVE_UP" not in os.environ:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0)
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "GAVE_UP": "yes"})


def attached_dsn(home: Path) -> str:
    from adapters.embedded import EmbeddedPostgres

    deadline_s = time.monotonic() + ATTACH_WITHIN_S
    while time.monotonic() < deadline_s:
        if dsn := EmbeddedPostgres(home).attach():
            return dsn
        time.sleep(0.05)
    return "nothing"


def main(home: Path, options: list[str]) -> None:
    from adapters.embedded import AlreadySupervised, EmbeddedPostgres, EmbeddedPostgresError

    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN if "deaf" in options else lambda caught, _: stopping.append(caught))
    server = EmbeddedPostgres(home)
    try:
        server.start()
    except AlreadySupervised:
        print("attached", attached_dsn(home), flush=True)
        return
    except EmbeddedPostgresError as error:
        print("failed", type(error).__name__, error, flush=True)
        return
    print("owns", server.pid, flush=True)
    while not stopping:
        server.restart_if_dead()
        time.sleep(0.05)
    server.stop()


if __name__ == "__main__":
    if "no-ptrace" in sys.argv:
        give_up_ptrace()
    main(Path(sys.argv[1]), sys.argv[2:])
