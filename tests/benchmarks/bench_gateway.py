"""The gateway against two relays, in one run, taking turns: what durable reserve and settle cost (P8).

The bare relay is FastAPI and httpx over aiohttp (relay.py), the lean one raw ASGI and the gateway's own HTTP client
(lean_relay.py). Neither bills anything.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from tests.benchmarks.bare_relay import BARE, LEAN, relay, upstream
from tests.benchmarks.books import check_books
from tests.benchmarks.cpu import LAST_PAGE_S, Reading, Turn, cpu_medians, of_gateway, of_process, turn, written
from tests.rigs.load import medians, post
from tests.rigs.running import gateway

REPEATS = 9
MESSAGES = [{"role": "user", "content": "Write fifty words about ledgers."}]
CASES = {
    "chat c=1": (1, False, 500),
    "chat c=32": (32, False, 4_000),
    "stream of 100 chunks c=16": (16, True, 600),
    "stream of 100 chunks c=32": (32, True, 600),
}
"""Connections, streamed, requests per repeat."""


class Side(NamedTuple):
    """ends_s: how long its processes work on after the last answer."""

    name: str
    port: int
    read: Callable[[], Reading]
    ends_s: float = 0


def run() -> None:
    with upstream() as url, relay(BARE, url) as bare, relay(LEAN, url) as lean, gateway(url) as gw:
        sides = (
            Side("bare relay", bare.port, partial(of_process, bare.pid, "relay")),
            Side("lean relay", lean.port, partial(of_process, lean.pid, "relay")),
            Side("gateway", gw.port, partial(of_gateway, gw.supervisor.pid), LAST_PAGE_S),
        )
        keys = [gw.account_with_key(f"bench-{n}")[1] for n in range(8)]
        for name, (connections, streamed, total) in CASES.items():
            body = {"model": "test/tokens", "messages": MESSAGES, "stream": streamed, "max_tokens": 100}
            requests = [post("/v1/chat/completions", body, key) for key in keys]
            for side in sides:
                turn(side.port, requests, total // 4, connections, side.read)  # warm up
            turns: Mapping[str, list[Turn]] = {side.name: [] for side in sides}
            for _ in range(REPEATS):
                for side in sides:
                    turns[side.name].append(turn(side.port, requests, total, connections, side.read, side.ends_s))
            report(name, turns)
            if connections == 1:
                report_added(turns)
        check_books(gw, sum(total // 4 + REPEATS * total for _, _, total in CASES.values()))


def report(name: str, turns: Mapping[str, Sequence[Turn]]) -> None:
    print(f"\n{name}: medians of {REPEATS}, in turn")
    print(f"  {'':10}{'rps':>10}{'p50 ms':>10}{'p99 ms':>10}{'errors':>8}   CPU us a request")
    for side, its in turns.items():
        row, cpu = medians([each.load for each in its]), written(cpu_medians(its))
        print(f"  {side:10}{row['rps']:10.0f}{row['p50_ms']:10.2f}{row['p99_ms']:10.2f}{row['errors']:8.0f}   {cpu}")
    for side in ("bare relay", "lean relay"):
        (its_rps, its_p50, its_p99), (rps, p50, p99) = (figures(turns[each]) for each in (side, "gateway"))
        print(f"  gateway / {side}: throughput {rps / its_rps:.2f} x, p50 {p50 / its_p50:.2f} x", end="")
        print(f", p99 {p99 / its_p99:.2f} x", flush=True)


def report_added(turns: Mapping[str, Sequence[Turn]]) -> None:
    """Between one request and the next there is no queue: what the p50 grows by is what billing and the house cost."""
    (_, bare, _), (_, lean, _), (_, gated, _) = (figures(its) for its in turns.values())
    print(
        f"  added p50: {(gated - bare) * 1e3:.0f} us to the bare relay's, {(gated - lean) * 1e3:.0f} us to the lean's"
    )


def figures(turns: Sequence[Turn]) -> tuple[float, float, float]:
    """rps, p50 and p99 in ms."""
    found = medians([each.load for each in turns])
    return found["rps"], found["p50_ms"], found["p99_ms"]
