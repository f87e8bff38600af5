"""CPU time of the processes that serve, per request and by kind of process.

From the scheduler's clock in /proc/PID/task/*/schedstat, in nanoseconds: the ticks of /proc/PID/stat are 10 ms, several
requests long. What a thread used that ended during a turn is not counted: PostgreSQL's autovacuum workers, mostly.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.rigs.load import Load, drive
from tests.rigs.processes import children_of

LAST_PAGE_S = 0.15
"""After the last answer the projector still has a page to write: it begins one every 100 ms."""


class Spent(NamedTuple):
    kind: str
    ns: int


Reading = Mapping[int, Spent]
"""By thread: what it used since it began."""


class Turn(NamedTuple):
    """cpu_us: a request, by kind of process."""

    load: Load
    cpu_us: Mapping[str, float]


def turn(
    port: int, requests: Sequence[bytes], total: int, connections: int, read: Callable[[], Reading], ends_s: float = 0
) -> Turn:
    """Drive `port`. ends_s: the processes are given this long to end their work before they are read again."""
    before = read()
    load = drive(port, requests, total, connections)
    time.sleep(ends_s)
    return Turn(load, {kind: ns / total / 1e3 for kind, ns in used_ns(before, read()).items()})


def used_ns(before: Reading, after: Reading) -> Mapping[str, int]:
    """Between two readings, by kind."""
    used: dict[str, int] = {}
    for thread, (kind, ns) in after.items():
        used[kind] = used.get(kind, 0) + ns - (before[thread].ns if thread in before else 0)
    return used


def of_gateway(supervisor: int) -> Reading:
    """Kinds are api, projector, postgres and others: the supervisor, and a sandbox."""
    found = dict(of_process(supervisor, "others"))
    for child in children_of(supervisor):
        kind = next((kind for kind in ("api", "projector", "postgres") if kind in child.command_line), "others")
        for pid in (child.pid, *(each.pid for each in children_of(child.pid))):
            found.update(of_process(pid, kind))
    return found


def of_gateway_by_session(supervisor: int) -> Reading:
    """The same, PostgreSQL's by what its process says it is: the writer's sessions are appends and a few reads."""
    found = dict(of_gateway(supervisor))
    for child in children_of(supervisor):
        for each in children_of(child.pid):
            kind = next((kind for word, kind in SESSIONS.items() if word in each.command_line), None)
            if kind:
                found.update(of_process(each.pid, kind))
    return found


SESSIONS = {"_writer ": "postgres appends", "_projector ": "postgres projection", "postgres: ": "postgres rest"}


def of_process(pid: int, kind: str) -> Reading:
    """All its threads; empty if it has ended."""
    found: dict[int, Spent] = {}
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found[int(task.name)] = Spent(kind, int((task / "schedstat").read_text().split()[0]))
    return found


def cpu_medians(turns: Sequence[Turn]) -> Mapping[str, float]:
    """Microseconds a request, by kind of process."""
    return {kind: median(each.cpu_us.get(kind, 0.0) for each in turns) for kind in sorted(turns[-1].cpu_us)}


def written(cpu_us: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} {us:,.0f}" for kind, us in cpu_us.items())
