"""What the suites of the read models share: logs told by the deciders, and who answers questions about them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from application.reads.reads import Reads
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.log import RecordedEvent
from tests.projections.story import Log

FULL = 450_000
"""nUSD that a reservation of the stories holds."""

Told = Callable[[Sequence[RecordedEvent]], Awaitable[Reads]]
"""Appends these events to the log of the test; the read models hold them when it returns."""


def credit(log: Log, *commands: Any) -> None:
    for command in commands:
        assert log.command(CREDIT, "acct", command), command


def grant(log: Log, lot_id: str = "lot", amount_nusd: int = 10**6, **more: Any) -> c.Grant:
    return c.Grant(at=log.at, lot_id=lot_id, kind="purchased", amount_nusd=amount_nusd, **more)
