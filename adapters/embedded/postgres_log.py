"""postgres.log: the output of the server and initdb, within a bound."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

# Weeks of checkpoint lines; a server that logs an error per request must not fill the disk. One old file is kept.
MAX_SIZE_BYTES = 16 * 1024 * 1024
# Enough for a FATAL with its DETAIL, its HINT and the lines before it.
LAST_LINES = 12
_TAIL_BYTES = 16 * 1024


class PostgresLog:
    """The server appends to it directly, not through a process of ours, so nothing is lost when we die."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._spawned_at_byte = 0

    def open(self) -> IO[bytes]:
        """A file for a new child to append to; remembers the offset of its first line. Raises OSError."""
        self.keep_within_bound()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._spawned_at_byte = os.fstat(descriptor).st_size
        return os.fdopen(descriptor, "ab", buffering=0)

    def last_lines(self) -> list[str]:
        """The last lines that the newest child wrote, oldest first; empty if it wrote none."""
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(self._spawned_at_byte, size), size - _TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()[-LAST_LINES:]

    def keep_within_bound(self) -> None:
        """Beyond the bound move the content to `.1`. The server has the file open for append, so it is copied and
        emptied, not renamed; lines written in between are lost. Cheap enough for each look of a supervisor.
        """
        if not self.path.exists() or self.path.stat().st_size <= MAX_SIZE_BYTES:
            return
        with suppress(OSError):  # the disk is full or the old copy is not ours: space matters more than old lines
            shutil.copy(self.path, self.path.with_name(self.path.name + ".1"))
        os.truncate(self.path, 0)
