"""What an idle installation costs: `gatewayz serve` with PostgreSQL and the sandbox, nothing asked of it."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.rigs.processes import Process, api_processes, children_of
from tests.rigs.running import Gateway, gateway

IDLE_S = float(os.environ.get("IDLE_S", "60"))
SETTLES_WITHIN_S = 10.0
"""After the start: the spare API process has loaded, the tail of keys rests."""

KINDS = {"sandbox": "sandbox", " projector": "projector", " api": "API", "postgres": "PostgreSQL"}
NO_PROVIDER = "http://127.0.0.1:9/v1"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def run() -> None:
    """IDLE_S= in the environment for another length."""
    with gateway(NO_PROVIDER, GATEWAYZ_SANDBOX="on") as gw:
        time.sleep(SETTLES_WITHIN_S)
        before, began_s = cpu_s(gw), time.monotonic()
        time.sleep(IDLE_S)
        after, took_s = cpu_s(gw), time.monotonic() - began_s
    shares = {kind: 100 * (after[kind] - before[kind]) / took_s for kind in after}
    print(f"  % of a core over {took_s:.0f} s:")
    for kind, share in sorted(shares.items(), key=lambda one: -one[1]):
        print(f"    {kind:12}{share:6.3f}")
    print(f"    {'in all':12}{sum(shares.values()):6.3f}")


def cpu_s(gw: Gateway) -> dict[str, float]:
    """Seconds of CPU so far, by kind of process; a process that has ended counts for its parent's kind."""
    spent = {"supervisor": _cpu_s(gw.supervisor.pid)}
    (serving,) = api_processes(gw.supervisor.pid, 1)
    for child in children_of(gw.supervisor.pid):
        kind = next(kind for words, kind in KINDS.items() if words in child.command_line)
        if kind == "API" and child.pid != serving:
            kind = "spare API"
        for process in _tree(child):
            with contextlib.suppress(OSError):
                spent[kind] = spent.get(kind, 0.0) + _cpu_s(process.pid)
    return spent


def _tree(root: Process) -> Iterator[Process]:
    yield root
    for child in children_of(root.pid):
        yield from _tree(child)


def _cpu_s(pid: int) -> float:
    """Of all its threads, in the scheduler's resolution; and of its children that have ended, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ended_ticks = int(fields[13]) + int(fields[14])
    return time.clock_gettime(clock_of(pid)) + ended_ticks / TICKS_PER_S


def clock_of(pid: int) -> int:
    """The number of a process's CPU clock, as clock_getcpuclockid(3) makes it."""
    return ~pid << 3 | 2
