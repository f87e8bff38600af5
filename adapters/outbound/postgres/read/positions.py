"""Implements application.reads.positions: one poll for all waiting callers, and none without callers."""

import asyncio
import contextlib
from collections.abc import Sequence

from adapters.outbound.postgres.builds.builds_in_use import in_use_sql, rows_in_use
from adapters.outbound.postgres.wire.ask_server import LOST
from domain.account.account import ACCOUNT
from domain.credit.decider import CREDIT
from projections.engine.changes import Projection
from projections.engine.reader import Reader
from projections.engine.registry import BUILDS

LAST_POSITION = """
SELECT coalesce(max(e.notification_id), 0)
  FROM unnest($1::text[]) AS s (stream)
 CROSS JOIN LATERAL (
       SELECT notification_id FROM ledger.stored_events
        WHERE originator_id = s.stream ORDER BY originator_version DESC LIMIT 1) e
"""

POSITIONS_POLL_S = 0.01
"""Poll interval while a caller waits. The projector needs some 50 ms; five polls within that cost almost nothing."""


def position_sql(known: tuple[Projection, ...]) -> str:
    """Position of the build in use that is furthest behind. A build that is still catching up does not count."""
    return f"SELECT coalesce(min(position), 0) FROM ({in_use_sql(known)}) u"  # noqa: S608 - of names in the registry


class PostgresPositionReads:
    """Serves one event loop. Positions only grow, so the last known one ends most waits without a query."""

    def __init__(self, reader: Reader, known: Sequence[Projection] = BUILDS) -> None:
        self._reader = reader
        self._position = position_sql(tuple(known))
        self._seen = 0
        self._looking: asyncio.Task[None] | None = None

    async def last_of(self, streams: Sequence[str]) -> int:
        rows = await self._reader.rows(LAST_POSITION, [list(streams)])
        return int(rows[0][0])

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """A database that cannot be asked has not reached it: what was recorded stays recorded, and a new key's secret
        must still be shown.
        """
        if position <= self._seen:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while True:
                    with contextlib.suppress(*LOST):
                        await self._look()
                    if position <= self._seen:
                        return True
                    await asyncio.sleep(POSITIONS_POLL_S)
        return False

    async def wait_for_account(self, account_id: str, timeout_s: float = 1.0) -> bool:
        last = await self.last_of([ACCOUNT.stream(account_id), CREDIT.stream(account_id)])
        return await self.wait_for(last, timeout_s)

    async def _look(self) -> None:
        """Query once for all current callers; cancelling one of them does not cancel the query."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask())
            self._looking.add_done_callback(_retrieve_error)
        await asyncio.shield(self._looking)

    async def _ask(self) -> None:
        rows = await rows_in_use(self._reader, self._position)
        self._seen = max(self._seen, rows[0][0])


def _retrieve_error(asked: asyncio.Task[None]) -> None:
    """Waiting callers get the error; without any, asyncio must not report it as never retrieved."""
    if not asked.cancelled():
        asked.exception()
