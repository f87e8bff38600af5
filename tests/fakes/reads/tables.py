"""Tables of the read models in memory: the real projections, replayed over a log that grows."""

from collections.abc import Sequence
from typing import Any

from domain.log import RecordedEvent
from projections.engine.changes import Table
from projections.engine.registry import PROJECTIONS
from projections.engine.replay import Replay

Row = dict[str, Any]


class ReplayedTables:
    """Never behind `log`: what was appended since the last question is replayed before the next answer."""

    def __init__(self, log: Sequence[RecordedEvent]) -> None:
        self.log = log
        self._replays = [(projection, Replay(projection.tables)) for projection in PROJECTIONS]
        self._position = 0

    def rows(self, table: Table, **known: object) -> list[Row]:
        """By column; those whose columns have the `known` values."""
        self._catch_up()
        replay = next(replay for projection, replay in self._replays if table in projection.tables)
        stored = replay.inserted[table] if table.insert_only else replay.rows(table).values()
        rows = [dict(zip(table.names, row, strict=True)) for row in stored]
        return [row for row in rows if all(row[name] == value for name, value in known.items())]

    def row(self, table: Table, **known: object) -> Row | None:
        return next(iter(self.rows(table, **known)), None)

    def _catch_up(self) -> None:
        for recorded in self.log[self._position :]:
            for projection, replay in self._replays:
                replay.apply(projection.project(recorded))
        self._position = len(self.log)
