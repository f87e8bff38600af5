"""What application.ports.clock promises."""

from datetime import UTC, timedelta

from adapters.outbound.crypto.clock_and_ids import SystemClock
from application.ports.clock import Clock
from tests.fakes.movable_clock import MovableClock

PORT = Clock
SUBJECTS = {"movable": MovableClock, "system": SystemClock}


def test_time_is_utc_and_goes_on(subject: str) -> None:
    clock = SUBJECTS[subject]()
    first = clock.now()
    assert first.tzinfo is UTC
    assert timedelta() <= clock.now() - first < timedelta(minutes=1)
