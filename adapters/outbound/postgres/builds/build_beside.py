"""A new build of a read model: it catches up beside the active one, is compared with it and then becomes active.

It has its own connection, writes its own pages and rests after each, so that the pages of active builds never wait for
it. One row (`read.active`) switches the readers, each in its own snapshot.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import psycopg
import structlog

from adapters.outbound.postgres.builds.compare_builds import find_difference
from adapters.outbound.postgres.builds.install_read_models import show_to_people
from adapters.outbound.postgres.builds.lead_builds import lead, let_go
from adapters.outbound.postgres.project.advance_read_models import Parked, ReadModelWriter
from domain.log import LOG_ID
from projections.engine.changes import Projection

BESIDE_PAGE_SIZE = 500
"""Events per transaction; some 20 ms of work, in a process that has other pages to write."""

REST = 1.0
"""Rest after each page, as a multiple of the page's time: new builds together use at most half a core to catch up."""

NEAR = 100
"""Events that may be left for the switch itself, while the active build's next page waits (a few ms)."""

BESIDE_POLL_S = 0.05
"""Pause at the head before looking for new events."""

DIFFERS_POLL_S = 1.0
"""Pause between updates of a build that differs: no reader uses it, but it stays current for a person to examine."""

ACTIVE = b"""
SELECT a.version, p.position
  FROM read.active a
  LEFT JOIN read.positions p ON p.projection = a.projection AND p.version = a.version AND p.log = a.log
 WHERE a.projection = %s AND a.log = %s
"""

HOLD = b"SELECT position FROM read.positions WHERE projection = %s AND version = %s AND log = %s FOR SHARE"

ACTIVATE = b"""
INSERT INTO read.active AS a (projection, log, version) VALUES (%s, %s, %s)
    ON CONFLICT (projection, log) DO UPDATE
   SET version = excluded.version, since = excluded.since
 WHERE a.version < excluded.version
"""

log = structlog.get_logger()


class Difference(NamedTuple):
    """A new build that does not become active because it differs from the active one."""

    projection: str
    version: int
    difference: str


class _Active(NamedTuple):
    """The active build. `build` is None if this release does not know it, so that nothing can be compared."""

    version: int
    position: int
    build: Projection | None


class BuildBeside:
    """Catches one build up. Any number of processes may try; only the leader of the build does it."""

    def __init__(
        self,
        info: str,
        build: Projection,
        known: Sequence[Projection],
        turn: threading.Lock,
        *,
        page_size: int = BESIDE_PAGE_SIZE,
        rest: float = REST,
        on_parked: Callable[[Parked], None] = lambda parked: None,
        on_difference: Callable[[Difference], None] = lambda difference: None,
    ) -> None:
        """known: the builds of this release, where the active one is looked up.

        turn: shared by all builds that this process catches up, so that together they cost no more than one.
        """
        self._info = info
        self._build = build
        self._known = {one.version: one for one in known if one.name == build.name}
        self._turn = turn
        self._page_size = page_size
        self._rest = rest
        self._on_parked = on_parked
        self._on_difference = on_difference
        self._difference: str | None = None
        self._is_compared = False

    def run(self, stop: threading.Event, retry_s: float) -> bool:
        """Run until the build is active (True), or until another process has activated it or `stop` is set (False).

        Raises: LogGap, LogTruncated, PositionMoved, psycopg.Error.
        """
        with psycopg.connect(self._info, autocommit=True) as connection:
            connection.prepare_threshold = 0
            while not lead(connection, self._build):
                if stop.wait(retry_s) or self._is_active(connection):
                    return False
            is_active = self._bring_up(connection, stop)
            let_go(connection, self._build)
            return is_active

    def show_to_people(self) -> None:
        with psycopg.connect(self._info, autocommit=True) as connection:
            show_to_people(connection, self._build)

    def _bring_up(self, connection: psycopg.Connection, stop: threading.Event) -> bool:
        writer = ReadModelWriter(connection, self._page_size, lambda page: None, self._on_parked)
        writer.take(self._build)
        log.info(
            "a build is being caught up", read_model=self._build.name, version=self._build.version, at=writer.position
        )
        while not stop.is_set():
            active = self._active(connection)
            if self._write_page(writer, active, stop) == self._page_size:
                continue
            self._compare(connection, writer, active, stop)
            if self._difference is not None:
                stop.wait(DIFFERS_POLL_S)
            elif self._is_compared and self._activate(connection, writer, active):
                return True
            else:
                stop.wait(BESIDE_POLL_S)
        return False

    def _write_page(self, writer: ReadModelWriter, active: _Active | None, stop: threading.Event) -> int:
        """Write the next page, never past the active build; rest after a full page."""
        with self._turn:
            began_s = time.monotonic()
            written = writer.advance(active.position if active and active.build else None)
            if written == self._page_size:
                stop.wait(self._rest * (time.monotonic() - began_s))
        return written

    def _compare(
        self,
        connection: psycopg.Connection,
        writer: ReadModelWriter,
        active: _Active | None,
        stop: threading.Event,
    ) -> None:
        """Compare once, in one snapshot, after advancing to exactly the active build's position."""
        if self._is_compared:
            return
        if active is None or active.build is None:
            self._is_compared = True
            return
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            now = self._active(connection)
            if now is None or now.version != active.version or writer.position > now.position:
                return
            while writer.advance(now.position):
                pass
            self._difference = find_difference(
                connection, active.build, self._build, now.position, lambda seconds: self._pause(stop, seconds)
            )
        self._is_compared = True
        self._note_difference(connection)

    def _pause(self, stop: threading.Event, seconds: float) -> None:
        stop.wait(self._rest * seconds)

    def _note_difference(self, connection: psycopg.Connection) -> None:
        name, version, difference = self._build.name, self._build.version, self._difference
        connection.execute(
            "UPDATE read.builds SET difference = %s WHERE projection = %s AND version = %s", [difference, name, version]
        )
        if difference is not None:
            log.error("a new build differs and is not used", read_model=name, version=version, difference=difference)
            self._on_difference(Difference(name, version, difference))

    def _activate(self, connection: psycopg.Connection, writer: ReadModelWriter, active: _Active | None) -> bool:
        """Switch the readers, unless too many events are left. No reader's position goes back."""
        with connection.transaction():
            if active is not None and active.build is not None:
                row = connection.execute(HOLD, [active.build.name, active.version, LOG_ID]).fetchone()
                if row is None or not 0 <= row[0] - writer.position <= NEAR:
                    return False
                while writer.advance(row[0]):
                    pass
            if connection.execute(ACTIVATE, [self._build.name, LOG_ID, self._build.version]).rowcount != 1:
                return False
        log.info("a build is active", read_model=self._build.name, version=self._build.version, at=writer.position)
        return True

    def _active(self, connection: psycopg.Connection) -> _Active | None:
        row = connection.execute(ACTIVE, [self._build.name, LOG_ID]).fetchone()
        return _Active(row[0], row[1] or 0, self._known.get(row[0])) if row else None

    def _is_active(self, connection: psycopg.Connection) -> bool:
        active = self._active(connection)
        return active is not None and active.version >= self._build.version
