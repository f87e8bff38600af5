"""The time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time. UTC."""

    def now(self) -> datetime: ...
