"""Waiting for what another thread does."""

import time
from collections.abc import Callable


def eventually(happens: Callable[[], object], within_s: float = 5.0) -> None:
    """Returns as soon as `happens()` is true; fails if it is not within `within_s`."""
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
