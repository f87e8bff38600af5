"""The checks of /ready, and the database sample for the next scrape of /metrics."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from time import monotonic

import psycopg
from psycopg_pool import PoolTimeout

from adapters.inbound.http.gateway import Check
from adapters.outbound.postgres.read.find_holder import holder_of_stream
from adapters.outbound.postgres.read.measure_lag import projection_lag_s
from adapters.outbound.telemetry.metrics import Metrics, Sample
from application.reads.credits import CreditReads
from application.reads.lag import MAX_LAG_S
from projections.engine.reader import Reader

MOST_NAMED = 3
"""Locked streams that are listed; each costs a query."""

ASK_TIMEOUT_S = 2.0
ONE_ROLE = "every process works as the login of DATABASE_URL: nothing but a trigger keeps it from changing the log"
WOKEN = "an append wakes the projector"
NOT_WOKEN = "notifications of the database do not arrive, so the projector polls: is there a pooler in between?"
LISTEN_AGAIN_S = 60.0
AWAY = (psycopg.Error, PoolTimeout, TimeoutError, OSError)

SAMPLE_EVERY_S = 1.0
SAMPLE_SELDOM_S = 15.0
WATCHED_FOR_S = 60.0
"""Without a scrape for so long, the database is sampled seldom: nobody looks, and each sample is two queries."""

TRY_AGAIN_S = 0.1
"""While there is no sample: in a fresh installation, the read models start a moment after the first API process."""


class ReadinessChecks:
    def __init__(
        self,
        reader: Reader,
        busy_streams: Callable[[], Mapping[str, float]],
        notifications_arrive: Callable[[], bool],
        *,
        has_roles: bool,
    ) -> None:
        """busy_streams:         for each stream that another session keeps locked, for how many seconds.
        notifications_arrive: asks the database, which takes up to a second. Raises: psycopg.Error.
        """
        self._reader = reader
        self._busy_streams = busy_streams
        self._notifications_arrive = notifications_arrive
        self._arrived = False
        self._asked_at_s = -LISTEN_AGAIN_S
        self._has_roles = has_roles

    async def __call__(self) -> Sequence[Check]:
        """Run the checks now, within two seconds."""
        lag_s, detail = await self._lag()
        return (
            Check(name="database and read models answer", passed=lag_s is not None, detail=detail),
            Check(
                name="read models are current",
                passed=lag_s is not None and lag_s <= MAX_LAG_S,
                detail="" if lag_s is None else f"{lag_s:.3f} s behind",
            ),
            Check(
                name="database roles are separate",
                passed=self._has_roles,
                detail="" if self._has_roles else ONE_ROLE,
                required=False,
            ),
            await self._no_stream_is_locked(),
            await self._followers_are_woken(),
        )

    async def _followers_are_woken(self) -> Check:
        """Not required: without notifications the projector polls. Asked seldom: each time takes two connections."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._asked_at_s >= LISTEN_AGAIN_S:
            try:
                async with asyncio.timeout(ASK_TIMEOUT_S):
                    self._arrived = await asyncio.to_thread(self._notifications_arrive)
                self._asked_at_s = now_s
            except AWAY as error:
                return Check(name=WOKEN, passed=False, detail=type(error).__name__, required=False)
        return Check(name=WOKEN, passed=self._arrived, detail="" if self._arrived else NOT_WOKEN, required=False)

    async def _no_stream_is_locked(self) -> Check:
        """Not required: all other accounts are served."""
        busy = sorted(self._busy_streams().items(), key=lambda one: -one[1])
        details = [await self._locked(stream, seconds) for stream, seconds in busy[:MOST_NAMED]]
        if len(busy) > MOST_NAMED:
            details.append(f"and {len(busy) - MOST_NAMED} more")
        return Check(name="no stream is locked", passed=not busy, detail="; ".join(details), required=False)

    async def _locked(self, stream: str, seconds: float) -> str:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                holder = await holder_of_stream(self._reader, stream)
        except AWAY:
            holder = None
        by = f"database session {holder[0]} of {holder[1]}" if holder else "another database session"
        return f"{stream} has been locked by {by} for {seconds:.0f} s: its requests wait"

    async def _lag(self) -> tuple[float | None, str]:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                return await projection_lag_s(self._reader), ""
        except AWAY as error:
            return None, type(error).__name__


async def sample_database(credits: CreditReads, reader: Reader, metrics: Metrics) -> None:
    """Refresh `metrics.sample` until cancelled, since a scrape itself cannot wait for the database: every second, but
    seldom while nobody scrapes, and at once when somebody does again."""
    watched_until_s = monotonic()
    while True:
        metrics.note_queue()
        metrics.note_busy_streams()
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                metrics.sample = Sample(await credits.open_reservations(), await projection_lag_s(reader))
        except AWAY:
            metrics.sample = Sample()
            await asyncio.sleep(TRY_AGAIN_S)
            continue
        if metrics.scraped.is_set():
            metrics.scraped.clear()
            watched_until_s = monotonic() + WATCHED_FOR_S
        if monotonic() < watched_until_s:
            await asyncio.sleep(SAMPLE_EVERY_S)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SAMPLE_SELDOM_S):
                    await metrics.scraped.wait()
