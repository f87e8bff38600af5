"""One page of the log into the read models: effects, parked accounts and positions in one transaction."""

import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import msgspec
import psycopg
import structlog

from adapters.outbound.postgres.read_log import LogEntry, LogPage, Undecodable, account_of_entry, read_page
from adapters.outbound.postgres.write_changes import write_page
from domain.log import LOG_ID
from projections.changes import Projection
from projections.page import Page

UNSTORABLE = (psycopg.DataError, psycopg.IntegrityError, OverflowError)
"""How the database says that the effects of some event do not fit its tables, such as a sum beyond 64 bits."""

MAX_ERROR_CHARS = 500

log = structlog.get_logger()


class PageWritten(msgspec.Struct, frozen=True):
    """One committed page. `lags_ms`: per event, commit - recorded_at, by this machine's clock."""

    projections: tuple[str, ...]
    last_position: int
    lags_ms: tuple[int, ...]


class Parked(msgspec.Struct, frozen=True):
    """An account that a read model had to leave behind: its figures there are not provable beyond `position`."""

    projection: str
    account: str
    position: int
    error: str


class PositionMoved(Exception):
    """Somebody else wrote the read models although we lead: never go on from a position that is not ours."""


class ReadModelWriter:
    """Writes the read models as their leader: knows where each stands and who is parked, and holds the connection."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projections: Sequence[Projection],
        page_size: int,
        on_page: Callable[[PageWritten], None],
        on_parked: Callable[[Parked], None],
    ) -> None:
        self._connection = connection
        self._projections = {projection.name: projection for projection in projections}
        self._page_size = page_size
        self._on_page = on_page
        self._on_parked = on_parked
        self._positions = self._load_positions()
        self._parked = self._load_parked()

    @property
    def position(self) -> int:
        """Where the one that is furthest behind stands."""
        return min(self._positions.values())

    def advance(self) -> int:
        """Write one page for each group of read models that stand together; returns the events of the longest page, 0
        if all stand at the head.

        A group that is behind reads no further than where the next one stands, so that they meet and go on together.
        Raises: LogGap, LogTruncated, PositionMoved, psycopg.Error.
        """
        standing = self._positions.__getitem__
        groups = [(at, list(names)) for at, names in groupby(sorted(self._projections, key=standing), key=standing)]
        ends = [at for at, _ in groups[1:]] + [groups[-1][0] + self._page_size]
        longest = 0
        for (at, names), end in zip(groups, ends, strict=True):
            page = read_page(self._connection, at, min(self._page_size, end - at))
            if page.events:
                self._write(names, page.events)
                self._tell(names, page)
                longest = max(longest, len(page.events))
        return longest

    def _write(self, names: Sequence[str], events: Sequence[LogEntry]) -> None:
        try:
            self._commit(names, events)
        except UNSTORABLE as error:
            for name in names:
                self._write_around(name, events, error)

    def _write_around(self, name: str, events: Sequence[LogEntry], error: Exception) -> None:
        """Some event's effects cannot be stored: halve until it stands alone, and park its account."""
        if len(events) == 1:
            self._commit([name], events, [_as_parked(name, events[0], error)])
            return
        middle = len(events) // 2
        for half in (events[:middle], events[middle:]):
            try:
                self._commit([name], half)
            except UNSTORABLE as narrower:
                self._write_around(name, half, narrower)

    def _commit(self, names: Sequence[str], events: Sequence[LogEntry], known: Sequence[Parked] = ()) -> None:
        parked = list(known)
        with self._connection.transaction():
            for name in names:
                page = self._merged(name, events, parked)
                write_page(self._connection, page, self._projections[name].build)
            self._park(parked)
            self._move(names, events[-1].position)
        for name in names:
            self._positions[name] = events[-1].position
        for p in parked:
            self._parked.add((p.projection, p.account))
            log.error("account parked", **msgspec.structs.asdict(p))
            self._on_parked(p)

    def _merged(self, name: str, events: Sequence[LogEntry], parked: list[Parked]) -> Page:
        """The page's changes to one read model; accounts that cannot be projected are added to `parked`."""
        project, page = self._projections[name].project, Page()
        left_behind = {account for projection, account in self._parked if projection == name}
        left_behind |= {p.account for p in parked if p.projection == name}
        for recorded in events:
            if left_behind and account_of_entry(recorded) in left_behind:
                continue
            try:
                if isinstance(recorded, Undecodable):
                    raise recorded.error
                changes = project(recorded)
            except Exception as error:  # noqa: BLE001 - a poison event may raise anything: it stops its account, not the log
                parked.append(_as_parked(name, recorded, error))
                left_behind.add(parked[-1].account)
            else:
                page.merge(changes)
        return page

    def _park(self, parked: Sequence[Parked]) -> None:
        for p in parked:
            self._connection.execute(
                "INSERT INTO read.parked (projection, account, position, error) VALUES (%s, %s, %s, %s)",
                msgspec.structs.astuple(p),
            )

    def _move(self, names: Sequence[str], position: int) -> None:
        standing = self._positions[names[0]]
        moved = self._connection.execute(
            "UPDATE read.positions SET position = %s, updated_at = clock_timestamp()"
            " WHERE projection = ANY(%s) AND log = %s AND position = %s",
            [position, list(names), LOG_ID, standing],
        )
        if moved.rowcount != len(names):
            raise PositionMoved(f"read models {', '.join(names)} no longer stand at {standing}")

    def _tell(self, names: Sequence[str], page: LogPage) -> None:
        now_s = time.time()
        lags_ms = tuple(round((now_s - recorded_at.timestamp()) * 1_000) for recorded_at in page.recorded_at)
        self._on_page(PageWritten(tuple(names), page.events[-1].position, lags_ms))

    def _load_positions(self) -> dict[str, int]:
        rows = self._connection.execute("SELECT projection, position FROM read.positions WHERE log = %s", [LOG_ID])
        return {name: position for name, position in rows if name in self._projections}

    def _load_parked(self) -> set[tuple[str, str]]:
        return set(self._connection.execute("SELECT projection, account FROM read.parked").fetchall())


def _as_parked(name: str, recorded: LogEntry, error: Exception) -> Parked:
    text = f"{type(error).__name__}: {error}".replace("\x00", "")
    return Parked(name, account_of_entry(recorded), recorded.position, text[:MAX_ERROR_CHARS])
