"""A snapshot is a cache: it must equal the fold of its stream from genesis to its version."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from domain.aggregates import AGGREGATES, aggregate_of
from domain.decider import AnyDecider
from domain.event import Event
from domain.proof.finding import Finding


class SnapshotRow(NamedTuple):
    stream: str
    version: int
    state_schema: int
    state: bytes


Encode = Callable[[object], bytes]
"""How states are stored. Comparing the stored bytes also compares the order of lots, which decides what burns first."""


class SnapshotWalk:
    """Folds the streams that have a snapshot, up to its version; keeps no state of other streams."""

    def __init__(self, snapshots: Iterable[SnapshotRow], encode: Encode) -> None:
        self._encode = encode
        self.waiting: dict[str, SnapshotRow] = {}
        """Snapshots not compared yet, by stream; events of other streams need not be walked."""
        self._states: dict[str, object] = {}
        self._foreign: list[Finding] = []
        for row in snapshots:
            self._expect(row)

    def _expect(self, row: SnapshotRow) -> None:
        decider = AGGREGATES.get(row.stream.partition("-")[0])
        if decider is None:
            self._foreign.append(_found(row, None, "no aggregate has such a stream"))
        elif row.state_schema == decider.state_schema:  # every reader ignores one of another schema
            self.waiting[row.stream] = row

    def walk(self, position: int, stream: str, version: int, event: Event) -> Finding | None:
        row = self.waiting.get(stream)
        if row is None:
            return None
        decider = aggregate_of(stream)
        try:
            state = decider.evolve(self._states.get(stream, decider.initial), event)
        except Exception as error:  # noqa: BLE001 - an event that its stream could never have decided may raise anything
            del self.waiting[stream]
            return _found(row, position, f"folding stops at version {version}: {type(error).__name__} {error}")
        self._states[stream] = state
        return self._compare(decider, row, position, state) if version == row.version else None

    def skip(self, stream: str) -> None:
        """Leave `stream` out: one of its events cannot be read, which is a finding already."""
        self.waiting.pop(stream, None)
        self._states.pop(stream, None)

    def end(self) -> list[Finding]:
        """Findings on snapshots beyond the end of their stream, and on those of unknown aggregates."""
        return self._foreign + [
            _found(row, None, f"the stream ends before version {row.version}") for row in self.waiting.values()
        ]

    def _compare(self, decider: AnyDecider, row: SnapshotRow, position: int, state: object) -> Finding | None:
        del self.waiting[row.stream], self._states[row.stream]
        try:
            is_equal = self._encode(state) == row.state
        except Exception as error:  # noqa: BLE001 - a state that no snapshot could hold may raise anything
            return _found(row, position, f"no such state can be stored: {type(error).__name__} {error}")
        return (
            None
            if is_equal
            else _found(row, position, f"it is not the fold of {decider.name} up to version {row.version}")
        )


def _found(row: SnapshotRow, position: int | None, message: str) -> Finding:
    return Finding("snapshots", message, position, f"ledger.snapshots originator_id={row.stream}")
