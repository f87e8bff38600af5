"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """UTC. An operator may set it, also back: durations are no differences of it."""
        ...

    def elapsed_s(self) -> float:
        """Seconds since a moment that stays the same as long as the process runs; never set."""
        ...
