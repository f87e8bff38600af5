"""Start a child that cannot outlive us, gets no signals from our terminal, and has a clean environment."""

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.unprivileged import PR_SET_PDEATHSIG, UnprivilegedUser

# PGDATA, PGPORT, LD_PRELOAD and the like of the caller must not reach the server.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
WORKING_FOLDER = "/"  # the unprivileged user may not be able to enter our own
_libc = ctypes.CDLL(None)  # loaded before any fork: the child between fork and exec must not load libraries


def require_main_thread() -> None:
    """Raise in other threads: the kernel sends PDEATHSIG at the end of the *thread* that spawned the child."""
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedPostgresError(
            "the embedded Postgres must be started and watched from the main thread: it dies with the thread that "
            "spawned it"
        )


def ask(argv: Sequence[str | Path], user: UnprivilegedUser | None, timeout_s: float = 30.0) -> tuple[int, str]:
    """Run a short command as `user`; returns its exit code and what it wrote (stdout, then stderr).

    Raises: OSError if it cannot be executed, subprocess.TimeoutExpired (then it was killed).
    """
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
        cwd=WORKING_FOLDER,
        env=ENVIRONMENT,
        start_new_session=True,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    return done.returncode, done.stdout + done.stderr


def spawn(
    argv: Sequence[str | Path], user: UnprivilegedUser | None, output: IO[bytes], death_signal: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start `argv` as `user`, writing to `output`; the kernel sends it `death_signal` when this process dies.

    It has its own session: Ctrl-C or a signal to our process group must not reach it; we stop it in order.
    Raises: OSError if it cannot be executed; EmbeddedPostgresError outside the main thread.
    """
    require_main_thread()
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=WORKING_FOLDER,
        env=ENVIRONMENT,
        start_new_session=True,
        preexec_fn=dies_with_parent(death_signal),  # noqa: PLW1509 - one prctl, and we are the main thread
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


def dies_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """Code for the child between fork and exec. It runs after the change of user, because that clears the setting."""
    parent_pid = os.getpid()

    def ask_kernel() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent_pid:  # the parent died before the call: no signal will come
            os._exit(1)

    return ask_kernel
