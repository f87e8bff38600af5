"""The system's clock, which a test may move ahead."""

from datetime import datetime, timedelta

from adapters.outbound.crypto.clock_and_ids import SystemClock


class MovableClock(SystemClock):
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead
