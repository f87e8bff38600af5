"""The last minute's traffic as one log line, for an operator at a terminal."""

import asyncio
from collections import Counter

import msgspec
import structlog

from domain.money import format_usd

EVERY_S = 60.0

MOST_NAMED = 5
"""Codes and providers that a line names; the totals include the rest, and /metrics has all."""

log = structlog.get_logger()


class Traffic(msgspec.Struct):
    """Counts since the last `take`."""

    charged: int = 0
    charged_nusd: int = 0
    refusals: Counter[str] = msgspec.field(default_factory=Counter)
    failures: Counter[str] = msgspec.field(default_factory=Counter)

    def take(self) -> dict[str, object]:
        """The fields of a log line; resets the counts. Empty if there was no traffic."""
        if not (self.charged or self.refusals or self.failures):
            return {}
        line: dict[str, object] = {"charged": self.charged, "charged_usd": format_usd(self.charged_nusd)}
        for name, counts in (("refused", self.refusals), ("provider_failures", self.failures)):
            if counts:
                line[name] = counts.total()
                line[f"{name}_by"] = dict(counts.most_common(MOST_NAMED))
        self.charged, self.charged_nusd = 0, 0
        self.refusals.clear()
        self.failures.clear()
        return line


async def log_traffic(traffic: Traffic, every_s: float = EVERY_S) -> None:
    """Log a line every `every_s` with traffic in it, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        line = traffic.take()
        if line:
            log.info("traffic", over_s=round(every_s), **line)
