"""Waiting until the read models hold a position: one poll for all who wait, none when nobody does."""

import asyncio
import contextlib

from adapters.outbound.postgres.builds.builds_in_use import in_use_sql
from projections.engine.changes import Projection
from projections.engine.reader import Reader


def position_sql(known: tuple[Projection, ...]) -> str:
    """Where the build in use that is furthest behind stands: one that is still being built is waited for by nobody."""
    return f"SELECT coalesce(min(position), 0) FROM ({in_use_sql(known)}) u"  # noqa: S608 - of names in the registry


POLL_S = 0.01
"""While somebody waits. The projector needs some 50 ms; asking five times within that costs next to nothing."""


class PositionWatch:
    """Serves one event loop. Positions only grow, so the last one seen answers most waits without a query."""

    def __init__(self, reader: Reader, known: tuple[Projection, ...]) -> None:
        self._reader = reader
        self._position = position_sql(known)
        self._seen = 0
        self._looking: asyncio.Task[None] | None = None

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """True as soon as every read model stands at `position` or beyond; False after `timeout_s`.

        Raises: psycopg.Error if the database cannot be asked.
        """
        if position <= self._seen:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while True:
                    await self._look()
                    if position <= self._seen:
                        return True
                    await asyncio.sleep(POLL_S)
        return False

    async def _look(self) -> None:
        """Ask once for everybody who asks now; one who gives up does not take the answer from the others."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask())
            self._looking.add_done_callback(_heard)
        await asyncio.shield(self._looking)

    async def _ask(self) -> None:
        rows = await self._reader.rows(self._position)
        self._seen = max(self._seen, rows[0][0])


def _heard(asked: asyncio.Task[None]) -> None:
    """Whoever still waits gets the error; if nobody does any more, nobody needs to be told."""
    if not asked.cancelled():
        asked.exception()
