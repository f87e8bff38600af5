"""Projectors for tests: one that runs in a thread, and broken projections for it to meet."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from adapters.outbound.postgres.builds.project_log import Projector
from projections.engine.changes import COUNT, TEXT, Add, Change, Logged, Projection, Table
from tests.rigs.databases import Database

EVENTUALLY_S = 20.0


@contextmanager
def running(database: Database, **options: Any) -> Iterator[threading.Thread]:
    """A projector that follows the log until the block ends."""
    projector = Projector(database.projector, **options)
    thread = threading.Thread(target=projector.run, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        projector.stop()
        thread.join(EVENTUALLY_S)
        assert not thread.is_alive()


def eventually(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + EVENTUALLY_S
    while not holds():
        assert time.monotonic() < deadline_s, "it never came to hold"
        time.sleep(0.01)


def positions(database: Database) -> dict[str, int]:
    """Where each read model stands; empty before the first projector has started."""
    if database.sql("SELECT to_regclass('read.positions')") == [(None,)]:
        return {}
    return dict(database.sql("SELECT projection, position FROM read.positions"))  # type: ignore[arg-type]


def head(database: Database) -> int:
    return int(database.sql("SELECT position FROM ledger.head")[0][0])  # type: ignore[call-overload,no-any-return]


COUNTED = Table("counted", {"stream": TEXT, "events": COUNT})


def counting(database: Database, project: Callable[[Logged], Sequence[Change]], name: str = "api_key") -> Projection:
    """A projection with one table of its own that takes the place of `name`."""
    database.sql(
        "CREATE TABLE IF NOT EXISTS read.counted_v1 (stream text PRIMARY KEY, events bigint NOT NULL DEFAULT 0)"
    )
    database.sql("GRANT ALL ON read.counted_v1 TO PUBLIC")
    return Projection(name, version=1, tables=(COUNTED,), project=project, package=f"projections.{name}")


def count(recorded: Logged) -> Sequence[Change]:
    return (Add(COUNTED, (recorded.stream,), {"events": 1}),)


def counted(database: Database) -> dict[str, int]:
    return dict(database.sql("SELECT stream, events FROM read.counted_v1"))  # type: ignore[arg-type]


def stands(database: Database) -> dict[tuple[str, int], int]:
    """Where each build stands."""
    rows = database.sql("SELECT projection, version, position FROM read.positions")
    return {(name, version): position for name, version, position in rows}


def active(database: Database) -> dict[str, int]:
    """The version in use of each read model."""
    return dict(database.sql("SELECT projection, version FROM read.active"))  # type: ignore[arg-type]
