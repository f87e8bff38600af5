"""Gateways of 1, 2 and 4 API processes in turn, 64 connections; and what follows for a machine with more cores.

1,000 accounts; any process may get the next request of any of them.

The model is arithmetic on the CPU that each kind of process uses for a request:

- A process with one thread of work ends at one core. The projector is one process, and so is its database session.
- API processes do not know each other: there are as many as are needed, and each has its own database session for
  appends. These take turns: an append holds the lock on the head of the log until its commit, so all of them together
  are counted as one core, as if they never ran side by side. The wait for the disk within the lock is not in the
  figures; group commit makes it cheaper a request the more requests wait.
- All that is left of PostgreSQL (checkpointer, walwriter, reads of keys) and the supervisor spread over the cores.
- CPU for a request stays what it is here. It depends on how many requests share a commit: 64 connections are 16 for
  each of four processes, so there is a case with 64 for each. On cores that share caches, or are threads of one core,
  it rises.
- Provider and load generator run elsewhere. A queue in front of a process grows without bound as it nears its
  capacity, so a kind of process may be busy four fifths of the time (FULL).

Nothing here was measured on a machine with more than two cores.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from math import ceil
from typing import NamedTuple

from tests.benchmarks.bare_relay import upstream
from tests.benchmarks.bench_gateway import MESSAGES
from tests.benchmarks.books import check_books
from tests.benchmarks.cpu import LAST_PAGE_S, Turn, cpu_medians, of_gateway_by_session, turn, written
from tests.benchmarks.many_accounts import open_accounts
from tests.rigs.load import medians, post
from tests.rigs.running import Gateway, gateway

API_PROCESSES = (1, 2, 4)
CONNECTIONS = 64
REPEATS = 3
ACCOUNTS = 1_000


class Case(NamedTuple):
    """are_each: so many connections for each API process, not for all of them together."""

    streamed: bool
    requests: int
    are_each: bool = False


CASES = {
    "chat, 64 connections": Case(streamed=False, requests=2_000),
    "chat, 64 connections for each API process": Case(streamed=False, requests=2_000, are_each=True),
    "stream of 100 chunks, 64 connections": Case(streamed=True, requests=500),
}

CORES = 8
FULL = 0.8
ONE_CORE = ("projector", "postgres projection", "postgres appends")
"""Kinds of process that end at one core, however many there are."""


class Capacity(NamedTuple):
    """rps: at which `first` is full. api_processes: needed for it."""

    rps: float
    first: str
    api_processes: int


def run() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(upstream())
        gateways = {number: stack.enter_context(gateway(url, number)) for number in API_PROCESSES}
        keys = {number: open_accounts(gw, ACCOUNTS) for number, gw in gateways.items()}
        for name, case in CASES.items():
            body = {"model": "test/tokens", "messages": MESSAGES, "stream": case.streamed, "max_tokens": 100}
            turns: Mapping[int, list[Turn]] = {number: [] for number in API_PROCESSES}
            for repeat in range(REPEATS + 1):
                for number, gw in gateways.items():
                    requests = [post("/v1/chat/completions", body, key) for key in keys[number]]
                    found = driven(gw, requests, case.requests, CONNECTIONS * (number if case.are_each else 1))
                    if repeat:  # the first warms up
                        turns[number].append(found)
            report(name, turns)
        for gw in gateways.values():
            check_books(gw, (REPEATS + 1) * sum(case.requests for case in CASES.values()))


def driven(gw: Gateway, requests: Sequence[bytes], total: int, connections: int) -> Turn:
    read = partial(of_gateway_by_session, gw.supervisor.pid)
    found = turn(gw.port, requests, total, connections, read, LAST_PAGE_S)
    assert not found.load.errors
    return found


def report(case: str, turns: Mapping[int, Sequence[Turn]]) -> None:
    print(f"\n{case}: medians of {REPEATS}, in turn")
    for number, its in turns.items():
        figures, cpu_us = medians([each.load for each in its]), cpu_medians(its)
        print(f"  {number} API: {figures['rps']:6.0f} rps, p50 {figures['p50_ms']:.1f} ms", end="")
        print(f", p99 {figures['p99_ms']:.1f} ms; CPU us a request: {written(cpu_us)}")
    print(f"  by the model, at {FULL:.0%} of what is full first:")
    print(f"    {'':6}{'rps a core':>12}{f'rps of {CORES} cores':>16}{'API needed':>12}   full first")
    for number, its in turns.items():
        cpu_us = cpu_medians(its)
        a_core, machine = per_core_rps(cpu_us), capacity(cpu_us, CORES)
        print(f"    {number} API{a_core:12.0f}{machine.rps:16.0f}{machine.api_processes:12}   {machine.first}", end="")
        print(f"; {limits(cpu_us)}", flush=True)


def per_core_rps(cpu_us: Mapping[str, float]) -> float:
    """If all kinds shared one core, and it were full."""
    return FULL * 1e6 / sum(cpu_us.values())


def capacity(cpu_us: Mapping[str, float], cores: int) -> Capacity:
    """What is full first: a kind of process that ends at one core, or the machine."""
    ends = {"the machine": cores * per_core_rps(cpu_us), **one_core_rps(cpu_us)}
    first = min(ends, key=lambda name: ends[name])
    return Capacity(ends[first], first, ceil(ends[first] * cpu_us["api"] / 1e6 / FULL))


def one_core_rps(cpu_us: Mapping[str, float]) -> Mapping[str, float]:
    """At which each kind that ends at one core is full."""
    return {kind: FULL * 1e6 / cpu_us[kind] for kind in ONE_CORE if cpu_us.get(kind)}


def limits(cpu_us: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} at {rps:,.0f}" for kind, rps in one_core_rps(cpu_us).items())
