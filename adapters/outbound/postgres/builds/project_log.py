"""The projector: follows the log and keeps every read model up to date, page by page.

A page's effects and position are one transaction, so that a crash at any moment repeats nothing and skips nothing.
An event that cannot be projected parks its account in that read model; all other accounts go on.

Builds in use and builds used before are written together. A new build catches up beside them
(build_beside) and joins them once it is active.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

import psycopg
import structlog

from adapters.outbound.postgres.builds.build_beside import REST, BuildBeside, Difference
from adapters.outbound.postgres.builds.install_read_models import has_read_models, install_read_models
from adapters.outbound.postgres.builds.lead_builds import lead
from adapters.outbound.postgres.builds.retire_builds import retire_builds
from adapters.outbound.postgres.project.advance_read_models import PageWritten, Parked, ReadModelWriter
from adapters.outbound.postgres.wire.wake_up import WakeUps
from domain.log import LOG_ID
from projections.engine.changes import Projection
from projections.engine.registry import BUILDS

PAGE_SIZE = 1_000
"""Events per transaction: large enough for bulk, small enough (some 50 ms) not to delay readers."""

IDLE_S = 1.0
"""How long a lost notification delays an event."""

LOG_POLL_S = 0.03
"""The same where no notification arrives (behind a pooler that shares sessions). An idle poll costs the database about
0.1 ms."""

PERIOD_S = 0.1
"""From one page's beginning to the next one's while events keep coming: a page's dozen statements cost some 5 ms
however few events it has, and a page for every event would take the machine from those who write them. A first event
after a pause is projected at once; the lag stays below half of what is promised (250 ms)."""

LEADER_POLL_S = 0.25
"""How often a projector looks for new builds and for builds without a leader."""

RECONNECT_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Pauses in seconds; the last one repeats until the database is back."""

RETIRE_EVERY_S = 60.0
"""Dropping an old build frees space and is never urgent."""

BESIDE_ENDS_WITHIN_S = 5.0
"""Enough for a new build's page, or for one statement of its comparison."""

FOUND = b"""
SELECT p.projection, p.version, p.position, a.version
  FROM read.positions p LEFT JOIN read.active a ON a.projection = p.projection AND a.log = p.log
 WHERE p.log = %s
"""

log = structlog.get_logger()


class _Found(NamedTuple):
    """A build and its position. `active` is the version in use of its read model."""

    position: int
    active: int | None

    def is_new(self, build: Projection) -> bool:
        """Not in use yet."""
        return self.active is None or self.active < build.version


class Projector:
    """Brings read models up to date (`catch_up`) and keeps them so (`run`). Any number may run; each build has one
    leader.

    A projector leads only versions that its release ships; a projector of another release leads its own beside it.
    """

    def __init__(
        self,
        info: str,
        builds: Sequence[Projection] = BUILDS,
        *,
        page_size: int = PAGE_SIZE,
        period_s: float = PERIOD_S,
        on_page: Callable[[PageWritten], None] = lambda page: None,
        on_parked: Callable[[Parked], None] = lambda parked: None,
        on_difference: Callable[[Difference], None] = lambda difference: None,
    ) -> None:
        """Touches nothing yet.

        info:          conninfo of the projector's role, which owns schema `read`.
        on_page:       called after each commit to builds that readers use, for metrics.
        on_parked:     called for each account that is parked, for alarms.
        on_difference: called for each new build that is not used because it differs, for alarms.
        """
        self._info = info
        self._builds = builds
        self._page_size = page_size
        self._period_s = period_s
        self._on_page = on_page
        self._on_parked = on_parked
        self._on_difference = on_difference
        self._has_installed = False
        self._has_threads = False
        self._in_use: frozenset[Projection] = frozenset()
        self._beside: dict[Projection, threading.Thread] = {}
        self._turn = threading.Lock()
        self._wake_ups: WakeUps | None = None
        self._stopping = threading.Event()
        self._ending = threading.Event()
        self._has_switched = threading.Event()

    def stop(self) -> None:
        """Let `run` end soon. From any thread, before or after it began."""
        self._stopping.set()
        self._wake()

    def run(self) -> None:
        """Follow the log until `stop`; survives a database that goes away and comes back.

        Raises: LogGap, LogTruncated, PositionMoved, which waiting does not cure.
        """
        with closing(WakeUps(self._info)) as self._wake_ups:
            self._run(self._wake_ups)

    def _wake(self) -> None:
        if self._wake_ups is not None:
            self._wake_ups.wake()

    def _run(self, wake_ups: WakeUps) -> None:
        failures = 0
        self._has_threads = True
        retiring = threading.Thread(target=self._retire, name="retiring builds", daemon=True)
        retiring.start()
        try:
            while not self._stopping.is_set():
                try:
                    with self._connected() as connection:
                        wake_ups.listen(connection)
                        failures = 0
                        self._lead(connection, wake_ups)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    pause_s = RECONNECT_PAUSES_S[min(failures, len(RECONNECT_PAUSES_S) - 1)]
                    failures += 1
                    log.warning("projector lost the database", error=str(error).strip(), pause_s=pause_s)
                    self._stopping.wait(pause_s)
        finally:
            self._ending.set()
            for thread in (retiring, *self._beside.values()):
                thread.join(BESIDE_ENDS_WITHIN_S)

    def catch_up(self) -> int:
        """Project everything that the log has now, new builds too, and return the position reached. Waits while another
        process leads."""
        with self._connected() as connection:
            read_models = self._writer(connection)
            while not self._leads_all(connection, read_models):
                self._ending.wait(LEADER_POLL_S)
            while read_models.builds and read_models.advance():
                pass
            for build, found in self._found(connection).items():
                if found.is_new(build):
                    beside = self._build_beside(build, rest=0.0)
                    beside.run(self._ending, LEADER_POLL_S)
                    beside.show_to_people()
            return min(found.position for found in self._found(connection).values())

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        """A connection, after the tables were installed."""
        with psycopg.connect(self._info, autocommit=True) as connection:
            connection.prepare_threshold = 0
            self._install(connection)
            yield connection

    def _install(self, connection: psycopg.Connection) -> None:
        """Install once per process, in case a view has changed: replacing views takes a lock that readers wait for, and
        disk space. Again only if the database was restored to a time before."""
        if not (self._has_installed and has_read_models(connection, self._builds)):
            install_read_models(connection, self._builds)
            self._has_installed = True

    def _writer(self, connection: psycopg.Connection) -> ReadModelWriter:
        return ReadModelWriter(connection, self._page_size, self._tell, self._on_parked)

    def _lead(self, connection: psycopg.Connection, wake_ups: WakeUps) -> None:
        read_models = self._writer(connection)
        look_at_s, leads_all = 0.0, False
        while not self._stopping.is_set():
            if time.monotonic() >= look_at_s or self._has_switched.is_set():
                self._has_switched.clear()
                leads_all = self._leads_all(connection, read_models)
                look_at_s = time.monotonic() + LEADER_POLL_S
            if read_models.builds:
                began_s = time.monotonic()
                written = read_models.advance()
                if not written:
                    wake_ups.wait(connection, self._idle_s(wake_ups, leads_all))
                elif written < self._page_size:
                    self._stopping.wait(max(0.0, began_s + self._period_s - time.monotonic()))
            else:
                self._stopping.wait(LEADER_POLL_S)

    def _leads_all(self, connection: psycopg.Connection, read_models: ReadModelWriter) -> bool:
        """Lead every build that is or was in use and has no other leader; False if one has. New builds catch up in
        their own threads."""
        found = self._found(connection)
        self._in_use = frozenset(build for build, its in found.items() if build.version == its.active)
        for build, its in found.items():
            if its.is_new(build):
                self._start_beside(build)
            elif build not in read_models.builds and lead(connection, build):
                read_models.take(build)
        return all(its.is_new(build) or build in read_models.builds for build, its in found.items())

    def _start_beside(self, build: Projection) -> None:
        if self._has_threads and build not in self._beside:
            name = f"build {build.name} {build.build}"
            self._beside[build] = threading.Thread(target=self._bring_up, args=[build], name=name, daemon=True)
            self._beside[build].start()

    def _bring_up(self, build: Projection) -> None:
        """Body of a thread, until the build is active. Its failures never stop the builds in use."""
        beside = self._build_beside(build)
        failures = 0
        while not self._ending.is_set():
            try:
                if beside.run(self._ending, LEADER_POLL_S):
                    self._has_switched.set()
                    self._wake()
                    beside.show_to_people()
                return
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                pause_s = RECONNECT_PAUSES_S[min(failures, len(RECONNECT_PAUSES_S) - 1)]
                failures += 1
                log.warning("a new build lost the database", error=str(error).strip(), pause_s=pause_s)
                self._ending.wait(pause_s)
            except Exception:
                log.exception("a new build is given up until the projector starts again", read_model=build.name)
                return

    def _retire(self) -> None:
        """Body of a thread: drop old builds as soon as possible, on its own connection."""
        while not self._ending.wait(RETIRE_EVERY_S):
            try:
                with psycopg.connect(self._info, autocommit=True) as connection:
                    retire_builds(connection, self._builds)
            except psycopg.Error as error:
                log.warning("old builds are not dropped now", error=str(error).strip())

    def _build_beside(self, build: Projection, rest: float = REST) -> BuildBeside:
        return BuildBeside(
            self._info,
            build,
            self._builds,
            self._turn,
            on_parked=self._on_parked,
            on_difference=self._on_difference,
            rest=rest,
        )

    def _found(self, connection: psycopg.Connection) -> dict[Projection, _Found]:
        """The builds that exist and this release ships."""
        rows = {(name, version): _Found(*its) for name, version, *its in connection.execute(FOUND, [LOG_ID])}
        return {build: rows[key] for build in self._builds if (key := (build.name, build.version)) in rows}

    def _tell(self, page: PageWritten) -> None:
        if not self._in_use.isdisjoint(page.builds):
            self._on_page(page)

    @staticmethod
    def _idle_s(wake_ups: WakeUps, leads_all: bool) -> float:
        """How long to wait for a new event, if there was none."""
        if not wake_ups.arrive:
            return LOG_POLL_S
        return IDLE_S if leads_all else LEADER_POLL_S
