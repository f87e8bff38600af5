"""The supervisor is the process that holds flock on one file. The kernel releases it when the holder dies."""

import fcntl
import os
import time
from pathlib import Path

from adapters.embedded.errors import AlreadySupervised, EmbeddedPostgresError

# A killed holder's lock is free once the kernel has ended it (and its child between fork and exec): milliseconds.
GRACE_S = 0.5
_LOCK_POLL_S = 0.02


class SupervisorLock:
    """The lock of one home. The descriptor is close-on-exec: servers do not inherit it.

    A child of os.fork() without exec does inherit it and would keep the lock after its parent's death. Do not fork
    without exec while holding it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *failure: object) -> None:
        self.release()

    @property
    def is_held(self) -> bool:
        return self._descriptor is not None

    def take(self) -> None:
        """Take the lock and write our pid to the file, for humans. Raises AlreadySupervised if another has it."""
        descriptor = self._open()
        try:
            self._lock_within_grace(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock; does nothing if we do not hold it. The file stays: without it two holders could coexist."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"cannot open {self._path}: {error.strerror}; run as the user who owns that folder, or choose another"
            ) from error

    def _lock_within_grace(self, descriptor: int) -> None:
        deadline_s = time.monotonic() + GRACE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    raise self._already_supervised(descriptor) from None
                time.sleep(_LOCK_POLL_S)

    def _already_supervised(self, descriptor: int) -> AlreadySupervised:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        return AlreadySupervised(
            f"another process (pid {holder}) already supervises {self._path.parent}: "
            "stop that `gatewayz serve`, or set GATEWAYZ_HOME to another folder"
        )
