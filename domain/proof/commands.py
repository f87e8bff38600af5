"""Every event has its remembered command, and every remembered command has its events (P5)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.proof.finding import Finding


class CommandRow(NamedTuple):
    """A command that recorded events. The walk accepts any tuple of this shape."""

    command_id: bytes
    first_position: int
    last_position: int


class CommandWalk:
    """Compares the log's runs of events of one command with the remembered commands, both in order of position."""

    def __init__(self, commands: Iterator[CommandRow]) -> None:
        self._commands = commands
        self._run: CommandRow | None = None

    def walk(self, events: Iterable[tuple[int, bytes]]) -> Finding | None:
        """Check (position, command id) of the next events. Returns: what is wrong with the first bad run, if any."""
        running, first, last = self._run or (None, 0, 0)
        for position, command_id in events:
            if command_id != running:
                fault = self._compare(running, first, last) if running else None
                if fault is not None:
                    return fault
                running, first = command_id, position
            last = position
        self._run = CommandRow(running, first, last) if running else None
        return None

    def end(self) -> Finding | None:
        fault = self._compare(*self._run) if self._run else None
        if fault is not None:
            return fault
        extra = next(self._commands, None)
        if extra is None:
            return None
        extra = CommandRow(*extra)
        return _found(extra, extra, "the log has no such events of this command")

    def _compare(self, command_id: bytes, first: int, last: int) -> Finding | None:
        found = next(self._commands, None)
        if found == (command_id, first, last):
            return None
        run = CommandRow(command_id, first, last)
        if found is None:
            return _found(run, run, "no command is remembered for these events")
        row = CommandRow(*found)
        if row.command_id == run.command_id:
            wrong = f"remembered for {row.first_position} to {row.last_position}"
            return _found(run, row, f"{wrong}, but recorded {run.first_position} to {run.last_position}")
        return _found(run, row, f"the events here are of command {run.command_id.hex()}")


def _found(run: CommandRow, row: CommandRow, message: str) -> Finding:
    position = min(run.first_position, row.first_position)
    return Finding("commands", message, position, f"ledger.commands command_id={row.command_id.hex()}")
