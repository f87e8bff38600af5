"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """UTC. An operator may set it, even back, so do not subtract it to get durations."""
        ...

    def elapsed_s(self) -> float:
        """Seconds since a moment that is fixed while the process runs; nothing can set this clock."""
        ...
