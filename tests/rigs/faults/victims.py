"""Whom a campaign kills: for each kind, the process of the installation that is hit."""

import random
import signal
from collections.abc import Callable

from tests.rigs.processes import api_processes, children_of

WORKERS = 2


def api(supervisor: int, dice: random.Random) -> int:
    return dice.choice(api_processes(supervisor, WORKERS))


def projector(supervisor: int, dice: random.Random) -> int:
    return child(supervisor, " projector", dice)


def backend(supervisor: int, dice: random.Random) -> int:
    """A server process of PostgreSQL that writes for us: the postmaster restarts all of them."""
    return child(child(supervisor, "postgres", dice), "writer", dice)


def postgres(supervisor: int, dice: random.Random) -> int:
    return child(supervisor, "postgres", dice)


def the_supervisor(supervisor: int, dice: random.Random) -> int:
    """Everything dies with it."""
    return supervisor


def child(parent: int, word: str, dice: random.Random) -> int:
    """A child that has `word` in its command line; a random one of several."""
    found = [child.pid for child in children_of(parent) if word in child.command_line]
    assert found, f"no {word} under {parent}"
    return dice.choice(found)


SHUTDOWN_AT_ONCE = "immediate shutdown"
"""What `pg_ctl stop -m immediate` does: the server is told to end without a checkpoint, by SIGQUIT."""

VICTIMS: dict[str, Callable[[int, random.Random], int]] = {
    "api": api,
    "projector": projector,
    "backend": backend,
    "postgres": postgres,
    SHUTDOWN_AT_ONCE: postgres,
    "supervisor": the_supervisor,
}


def signal_for(kind: str) -> signal.Signals:
    return signal.SIGQUIT if kind == SHUTDOWN_AT_ONCE else signal.SIGKILL
