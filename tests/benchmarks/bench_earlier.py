"""This tree against an earlier one, in one run, taking turns: throughput, latency and CPU a request by process.

`EARLIER=<a clone with its .venv> python -m tests.benchmarks earlier`. Each serves from its own home; one stands idle
while the other is driven.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.bare_relay import upstream
from tests.benchmarks.cpu import LAST_PAGE_S, Turn, cpu_medians, of_gateway, turn
from tests.rigs.load import medians, post
from tests.rigs.running import ROOT

REPEATS = 9
MESSAGES = [{"role": "user", "content": "Write fifty words about ledgers."}]
TURNS = [{"role": "user", "content": "x" * 500}, {"role": "assistant", "content": "y" * 500}] * 20
TOOL = {"type": "function", "function": {"name": "look_up", "description": "what " * 200, "parameters": {}}}
CASES: Mapping[str, tuple[int, int, dict[str, object]]] = {
    "chat c=1": (1, 500, {"messages": MESSAGES}),
    "chat c=32": (32, 3_000, {"messages": MESSAGES}),
    "chat c=32, 40 KB, 20 tools": (32, 2_000, {"messages": [*TURNS, *MESSAGES], "tools": [TOOL] * 20}),
    "stream of 100 chunks c=32": (32, 600, {"messages": MESSAGES, "stream": True}),
}
"""Connections, requests per repeat, body."""

SERVE = """
import json, sys
try:
    from tests.rigs.running import gateway
except ImportError:  # where an earlier tree has it
    from tests.running import gateway
with gateway(sys.argv[1]) as gw:
    keys = [gw.account_with_key(f"bench-{n}")[1] for n in range(8)]
    print(json.dumps([gw.port, gw.supervisor.pid, keys]), flush=True)
    sys.stdin.read()
"""


class Side(NamedTuple):
    port: int
    supervisor: int
    keys: list[str]


def run() -> None:
    earlier = Path(os.environ["EARLIER"])
    with upstream() as url, serving(earlier, url) as before, serving(ROOT, url) as after:
        for name, (connections, total, asked) in CASES.items():
            body = {"model": "test/tokens", "max_tokens": 100, **asked}
            for side in (before, after):
                driven(side, body, total // 4, connections)  # warm up
            pairs = [
                (driven(before, body, total, connections), driven(after, body, total, connections))
                for _ in range(REPEATS)
            ]
            report(name, [a for a, _ in pairs], [b for _, b in pairs])


@contextlib.contextmanager
def serving(tree: Path, url: str) -> Iterator[Side]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(tree / ".venv/bin/python"), "-c", SERVE, url]
    with subprocess.Popen(
        command, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        try:
            yield Side(*json.loads(child.stdout.readline()))
        finally:
            child.stdin.close()


def driven(side: Side, body: Mapping[str, object], total: int, connections: int) -> Turn:
    requests = [post("/v1/chat/completions", dict(body), key) for key in side.keys]
    found = turn(side.port, requests, total, connections, partial(of_gateway, side.supervisor), LAST_PAGE_S)
    assert not found.load.errors
    return found


def report(name: str, before: list[Turn], after: list[Turn]) -> None:
    print(f"\n{name}: medians of {REPEATS}")
    told = [medians([each.load for each in turns]) for turns in (before, after)]
    for figure in ("rps", "p50_ms", "p99_ms"):
        line(figure, told[0][figure], told[1][figure])
    cpu = [cpu_medians(turns) for turns in (before, after)]
    for kind in cpu[1]:
        line(f"CPU us {kind}", cpu[0].get(kind, 0.0), cpu[1][kind])


def line(figure: str, before: float, after: float) -> None:
    ratio = f"{after / before:.2f} x" if before else ""
    print(f"  {figure:18}{before:10.2f} ->{after:10.2f}   {ratio}", flush=True)
