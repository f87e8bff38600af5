"""Finding processes by whose children they are."""

from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """started: in ticks since the machine booted."""

    pid: int
    command_line: str
    started: int


def children_of(parent: int) -> list[Process]:
    """Direct children from /proc, oldest first."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(Process(int(folder.name), line, int(fields[19])))
    return sorted(found, key=lambda child: (child.started, child.pid))


def api_processes(supervisor: int, workers: int) -> list[int]:
    """Pids of those that serve. The supervisor keeps one more with its code loaded, to step in: always the youngest."""
    return [child.pid for child in children_of(supervisor) if " api" in child.command_line][:workers]


def projector_process(supervisor: int) -> int:
    (found,) = [child.pid for child in children_of(supervisor) if " projector" in child.command_line]
    return found


def rss_kib(pid: int) -> int:
    """Resident now."""
    return _of_status(pid, "VmRSS")


def peak_kib(pid: int) -> int:
    """The most that was ever resident."""
    return _of_status(pid, "VmHWM")


def wake_ups(pid: int) -> int:
    """How often it, or one thread by its id, has slept and woken."""
    return _of_status(pid, "voluntary_ctxt_switches")


class Memory(NamedTuple):
    """KiB now. rss: resident; pss: its own and its part of what it shares; uss: its own."""

    rss: int
    pss: int
    uss: int


def memory_kib(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(kib["Rss"], kib["Pss"], kib["Private_Clean"] + kib["Private_Dirty"])


def _of_status(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(name)))
