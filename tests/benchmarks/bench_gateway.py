"""The gateway against a bare relay, in one run, taking turns: what durable reserve and settle cost (P8)."""

from tests.benchmarks.bare_relay import relay, upstream
from tests.rigs.load import Load, drive, medians, post
from tests.rigs.running import Gateway, gateway

REPEATS = 9
MESSAGES = [{"role": "user", "content": "Write fifty words about ledgers."}]
CASES = {
    "chat c=1": (1, False, 500),
    "chat c=32": (32, False, 4_000),
    "stream of 100 chunks c=16": (16, True, 600),
    "stream of 100 chunks c=32": (32, True, 600),
}
"""Connections, streamed, requests per repeat."""


def run() -> None:
    with upstream() as url, relay(url) as relay_port, gateway(url) as gw:
        keys = [gw.account_with_key(f"bench-{n}")[1] for n in range(8)]
        for name, (connections, streamed, total) in CASES.items():
            body = {"model": "test/tokens", "messages": MESSAGES, "stream": streamed, "max_tokens": 100}
            requests = [post("/v1/chat/completions", body, key) for key in keys]
            drive(relay_port, requests, total // 4, connections)  # warm up
            drive(gw.port, requests, total // 4, connections)
            pairs = [
                (drive(relay_port, requests, total, connections), drive(gw.port, requests, total, connections))
                for _ in range(REPEATS)
            ]
            report(name, [a for a, _ in pairs], [b for _, b in pairs])
        check_books(gw)


def report(name: str, relayed: list[Load], gated: list[Load]) -> None:
    bare, paid = medians(relayed), medians(gated)
    print(f"\n{name}: medians of {REPEATS}")
    print(f"  {'':10}{'rps':>10}{'p50 ms':>10}{'p99 ms':>10}{'errors':>8}")
    for label, row in (("relay", bare), ("gateway", paid)):
        print(f"  {label:10}{row['rps']:10.0f}{row['p50_ms']:10.2f}{row['p99_ms']:10.2f}{row['errors']:8.0f}")
    print(f"  throughput {paid['rps'] / bare['rps']:.2f} x the relay's, p50 {paid['p50_ms'] / bare['p50_ms']:.2f} x")


def check_books(gw: Gateway) -> None:
    """A benchmark of a gateway that loses a charge measures nothing: settled must equal answered."""
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{gw.port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    for line in lines:
        if line.startswith(("gatewayz_requests_total", "gatewayz_open_reservations")):
            print(" ", line)
