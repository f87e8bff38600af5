"""What the checks of a ledger report."""

from typing import Literal

import msgspec

Check = Literal["log", "chain", "commands", "snapshots", "money", "claims", "data_keys", "read_models", "parked", "lag"]


class Clamped(msgspec.Struct, frozen=True):
    """A value that an old event version recorded outside its range; it is read as the nearer end, and is no fault.

    field:  of the event at `position` of the log.
    """

    position: int
    stream: str
    field: str

    def __str__(self) -> str:
        return f"clamped: position {self.position}, {self.stream}, field {self.field}"


class Finding(msgspec.Struct, frozen=True):
    """One fault.

    position:  the first position in the log that shows it; None for a row that belongs to no position.
    place:     table, key and column of a bad row, or the stream; empty if the position is enough.
    """

    check: Check
    message: str
    position: int | None = None
    place: str = ""

    def __str__(self) -> str:
        where = [f"position {self.position}"] if self.position is not None else []
        where += [self.place] if self.place else []
        return f"{self.check}: {', '.join(where)}: {self.message}" if where else f"{self.check}: {self.message}"
