"""Writes one page of the log into the read models: effects, parked accounts and positions in one transaction."""

import struct
import time
from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec
import psycopg
import structlog

from adapters.outbound.postgres.project.write_changes import write_page
from adapters.outbound.postgres.wire.read_log import LogEntry, LogPage, Undecodable, account_of_entry, read_page
from domain.log import LOG_ID
from projections.engine.changes import Projection
from projections.engine.page import Page

UNSTORABLE = (psycopg.DataError, psycopg.IntegrityError, ArithmeticError, ValueError, TypeError, struct.error)
"""Errors if the effects of an event do not fit the tables, such as a sum beyond 64 bits."""

MAX_ERROR_CHARS = 500

MOVE = b"""
UPDATE read.positions p SET position = %s, updated_at = clock_timestamp()
  FROM unnest(%s::text[], %s::int[]) b (projection, version)
 WHERE p.projection = b.projection AND p.version = b.version AND p.log = %s AND p.position = %s
"""

log = structlog.get_logger()


class PageWritten(msgspec.Struct, frozen=True):
    """One committed page. `lags_ms`: per event, commit - recorded_at, by this machine's clock."""

    builds: tuple[Projection, ...]
    last_position: int
    lags_ms: tuple[int, ...]

    @property
    def projections(self) -> tuple[str, ...]:
        return tuple(build.name for build in self.builds)


class Parked(msgspec.Struct, frozen=True):
    """An account that a build stopped updating: its figures there cannot be proven beyond `position`."""

    projection: str
    version: int
    account: str
    position: int
    error: str


class PositionMoved(Exception):
    """Another process wrote a build that this one leads: never go on from a position that is not ours."""


class ReadModelWriter:
    """Writes builds as their leader: keeps each build's position and parked accounts, and the connection."""

    def __init__(
        self,
        connection: psycopg.Connection,
        page_size: int,
        on_page: Callable[[PageWritten], None],
        on_parked: Callable[[Parked], None],
    ) -> None:
        self._connection = connection
        self._page_size = page_size
        self._on_page = on_page
        self._on_parked = on_parked
        self._positions: dict[Projection, int] = {}
        self._parked: set[tuple[Projection, str]] = set()

    @property
    def builds(self) -> frozenset[Projection]:
        return frozenset(self._positions)

    @property
    def position(self) -> int:
        """Position of the build that is furthest behind."""
        return min(self._positions.values())

    def take(self, build: Projection) -> None:
        """Write `build` too, from its stored position; the caller leads it."""
        key = [build.name, build.version]
        row = self._connection.execute(
            "SELECT position FROM read.positions WHERE projection = %s AND version = %s AND log = %s", [*key, LOG_ID]
        ).fetchone()
        if row is None:
            raise PositionMoved(f"read model {_name(build)} is gone")
        self._positions[build] = row[0]
        parked = self._connection.execute("SELECT account FROM read.parked WHERE projection = %s AND version = %s", key)
        self._parked |= {(build, account) for (account,) in parked}

    def advance(self, upto: int | None = None) -> int:
        """Write one page for each group of builds at the same position.

        Returns: events of the longest page, 0 if all builds are at the head (or at `upto`).
        A group that is behind reads only up to the next group's position, so that they join and go on together.
        Raises: LogGap, LogTruncated, PositionMoved, psycopg.Error.
        """
        standing = self._positions.__getitem__
        groups = [(at, list(builds)) for at, builds in groupby(sorted(self._positions, key=standing), key=standing)]
        furthest = groups[-1][0] + self._page_size
        ends = [at for at, _ in groups[1:]] + [furthest if upto is None else min(furthest, upto)]
        longest = 0
        for (at, builds), end in zip(groups, ends, strict=True):
            page = read_page(self._connection, at, min(self._page_size, max(0, end - at)))
            if page.events:
                self._write(builds, page.events)
                self._tell(builds, page)
                longest = max(longest, len(page.events))
        return longest

    def _write(self, builds: Sequence[Projection], events: Sequence[LogEntry]) -> None:
        try:
            self._commit(builds, events)
        except UNSTORABLE as error:
            for build in builds:
                self._write_around(build, events, error)

    def _write_around(self, build: Projection, events: Sequence[LogEntry], error: Exception) -> None:
        """Some event's effects cannot be stored: halve the page until that event is alone, then park its account."""
        if len(events) == 1:
            self._commit([build], events, [(build, _as_parked(build, events[0], error))])
            return
        middle = len(events) // 2
        for half in (events[:middle], events[middle:]):
            try:
                self._commit([build], half)
            except UNSTORABLE as narrower:
                self._write_around(build, half, narrower)

    def _commit(
        self,
        builds: Sequence[Projection],
        events: Sequence[LogEntry],
        known: Sequence[tuple[Projection, Parked]] = (),
    ) -> None:
        parked = list(known)
        with self._connection.transaction():
            for build in builds:
                write_page(self._connection, self._merged(build, events, parked), build.build)
            self._park([p for _, p in parked])
            self._move(builds, events[-1].position)
        for build in builds:
            self._positions[build] = events[-1].position
        for build, p in parked:
            self._parked.add((build, p.account))
            log.error("account parked", **msgspec.structs.asdict(p))
            self._on_parked(p)

    def _merged(self, build: Projection, events: Sequence[LogEntry], parked: list[tuple[Projection, Parked]]) -> Page:
        """The page's changes to one build; accounts that cannot be projected are added to `parked`."""
        project, page = build.project, Page()
        left_behind = {account for left_by, account in self._parked if left_by is build}
        left_behind |= {p.account for left_by, p in parked if left_by is build}
        for recorded in events:
            if left_behind and account_of_entry(recorded) in left_behind:
                continue
            try:
                if isinstance(recorded, Undecodable):
                    raise recorded.error
                changes = project(recorded)
            except Exception as error:  # noqa: BLE001 - an event may raise any error: it stops its account, not the log
                poisoned = _as_parked(build, recorded, error)
                parked.append((build, poisoned))
                left_behind.add(poisoned.account)
            else:
                page.merge(changes)
        return page

    def _park(self, parked: Sequence[Parked]) -> None:
        for p in parked:
            self._connection.execute(
                "INSERT INTO read.parked (projection, version, account, position, error) VALUES (%s, %s, %s, %s, %s)",
                msgspec.structs.astuple(p),
            )

    def _move(self, builds: Sequence[Projection], position: int) -> None:
        standing = self._positions[builds[0]]
        moved = self._connection.execute(
            MOVE,
            [
                position,
                [build.name for build in builds],
                [build.version for build in builds],
                LOG_ID,
                standing,
            ],
        )
        if moved.rowcount != len(builds):
            raise PositionMoved(f"read models {', '.join(map(_name, builds))} no longer stand at {standing}")

    def _tell(self, builds: Sequence[Projection], page: LogPage) -> None:
        now_s = time.time()
        lags_ms = tuple(round((now_s - recorded_at.timestamp()) * 1_000) for recorded_at in page.recorded_at)
        self._on_page(PageWritten(tuple(builds), page.events[-1].position, lags_ms))


def _name(build: Projection) -> str:
    return f"{build.name} {build.build}"


def _as_parked(build: Projection, recorded: LogEntry, error: Exception) -> Parked:
    text = f"{type(error).__name__}: {error}".replace("\x00", "")
    return Parked(build.name, build.version, account_of_entry(recorded), recorded.position, text[:MAX_ERROR_CHARS])
