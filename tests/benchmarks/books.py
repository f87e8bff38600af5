"""A benchmark of a gateway that loses a charge measures nothing: what was answered must be settled, and nothing open.

Read from the log, since /metrics gives the sample of one process, which may be some seconds old.
"""

import time

from tests.rigs.installation.log_facts import Facts, read_facts
from tests.rigs.running import Gateway

PATIENCE_S = 20.0
CHARGE_NUSD = 45_000
"""Of an answer of tests/rigs/providers/upstream: 100 prompt tokens at 0.15 USD a million and 50 of output at 0.60."""


def check_books(gw: Gateway, answered: int) -> None:
    """Every answer was settled at its price, and no reservation is open."""
    facts = settled(gw)
    assert len(facts.settled) == answered, f"{len(facts.settled)} settled of {answered} answered"
    assert set(facts.settled.values()) == {CHARGE_NUSD}
    assert not facts.estimated
    print(f"  {answered:,} answered, settled at {CHARGE_NUSD:,} nUSD each; no reservation is open", flush=True)


def settled(gw: Gateway) -> Facts:
    """Once no reservation is open. Raises: TimeoutError."""
    by_s = time.monotonic() + PATIENCE_S
    while open_ := open_reservations(facts := read_facts(gw.dsn())):
        if time.monotonic() > by_s:
            raise TimeoutError(f"{open_} reservations are still open")
        time.sleep(0.5)
    return facts


def open_reservations(facts: Facts) -> int:
    return sum(ended is None for _, ended in facts.times.values())
