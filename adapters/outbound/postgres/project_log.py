"""The projector: follows the log and keeps every read model up to date, page by page (DESIGN §6).

A page's effects and the position are one transaction, so that a crash at any instant repeats nothing and skips nothing.
An event that cannot be projected parks its account in that read model; everybody else goes on.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import structlog

from adapters.outbound.postgres.advance_read_models import PageWritten, Parked, ReadModelWriter
from adapters.outbound.postgres.install_read_models import has_read_models, install_read_models
from projections.changes import Projection
from projections.registry import PROJECTIONS

LEADER_LOCK = 7_426_930_118
"""Whoever holds it writes the read models; its session is the one that writes, so losing one is losing the other."""

WAKE_UP_CHANNEL = "stored_events"

PAGE_SIZE = 1_000
"""Events per transaction: large enough for bulk, small enough (some 50 ms) not to hold a reader's news back."""

POLL_S = 0.03
"""How long a missed wake-up delays an event; an idle poll costs the database about 0.1 ms."""

PERIOD_S = 0.1
"""From one page's beginning to the next one's while events keep coming: a page's dozen statements cost some 5 ms
however few events it has, and a page for every event would take the machine from those who write them. A first event
after a pause is projected at once; the lag stays below half of what is promised (250 ms)."""

LEADER_POLL_S = 0.25
RECONNECT_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
"""The last one repeats until the database is back."""

log = structlog.get_logger()


class Projector:
    """Brings read models up to date (`catch_up`) and keeps them so (`run`). Any number may run; one leads."""

    def __init__(
        self,
        info: str,
        projections: Sequence[Projection] = PROJECTIONS,
        *,
        page_size: int = PAGE_SIZE,
        poll_s: float = POLL_S,
        period_s: float = PERIOD_S,
        on_page: Callable[[PageWritten], None] = lambda page: None,
        on_parked: Callable[[Parked], None] = lambda parked: None,
    ) -> None:
        """Touches nothing yet.

        info:       conninfo of the projector's role, which owns schema `read`.
        on_page:    told after each commit, for metrics; on_parked: told of each account left behind, for alarms.
        """
        self._info = info
        self._projections = projections
        self._page_size = page_size
        self._poll_s = poll_s
        self._period_s = period_s
        self._on_page = on_page
        self._on_parked = on_parked
        self._has_installed = False

    def run(self, stop: threading.Event) -> None:
        """Follow the log until `stop`; survives a database that goes away and comes back.

        Raises: LogGap, LogTruncated, VersionMismatch, PositionMoved: what waiting does not heal.
        """
        failures = 0
        while not stop.is_set():
            try:
                with self._leading(stop) as (connection, read_models):
                    failures = 0
                    while not stop.is_set():
                        self._follow(connection, read_models, stop)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                pause_s = RECONNECT_PAUSES_S[min(failures, len(RECONNECT_PAUSES_S) - 1)]
                failures += 1
                log.warning("projector lost the database", error=str(error).strip(), pause_s=pause_s)
                stop.wait(pause_s)
            except _Stopped:
                return

    def catch_up(self) -> int:
        """Project everything that the log has now and return the position reached. Waits while another one leads."""
        with self._leading(threading.Event()) as (_, read_models):
            while read_models.advance():
                pass
            return read_models.position

    @contextmanager
    def _leading(self, stop: threading.Event) -> Iterator[tuple[psycopg.Connection[Any], ReadModelWriter]]:
        """A connection that leads, the tables made, positions as the database has them. Raises _Stopped."""
        with psycopg.connect(self._info, autocommit=True) as connection:
            connection.prepare_threshold = 0
            while not _leads(connection):
                if stop.wait(LEADER_POLL_S):
                    raise _Stopped
            self._install(connection)
            connection.execute(f"LISTEN {WAKE_UP_CHANNEL}".encode())
            yield (
                connection,
                ReadModelWriter(connection, self._projections, self._page_size, self._on_page, self._on_parked),
            )

    def _install(self, connection: psycopg.Connection[Any]) -> None:
        """Once per process, in case a view has changed: making views anew takes a lock that readers wait for, and room
        that a full disk has not. Again only in a database that was restored to a time before."""
        if not (self._has_installed and has_read_models(connection, self._projections)):
            install_read_models(connection, self._projections)
            self._has_installed = True

    def _follow(self, connection: psycopg.Connection[Any], read_models: ReadModelWriter, stop: threading.Event) -> None:
        """Write what is there, then wait: for news if there was nothing, else (unless more is due) the period out."""
        began_s = time.monotonic()
        written = read_models.advance()
        if not written:
            self._wait_for_events(connection)
        elif written < self._page_size:
            stop.wait(max(0.0, began_s + self._period_s - time.monotonic()))

    def _wait_for_events(self, connection: psycopg.Connection[Any]) -> None:
        for _ in connection.notifies(timeout=self._poll_s, stop_after=1):
            pass


class _Stopped(Exception):
    """Told to stop while another one led."""


def _leads(connection: psycopg.Connection[Any]) -> bool:
    return connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK]).fetchone() == (True,)
