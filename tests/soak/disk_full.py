"""`python -m tests.soak.disk_full FOLDER`: a gateway whose home is on a small file system, which is filled under it.

P1: while PostgreSQL has write-ahead log to recycle (256 MB in a cluster of some age), writes are told 503, reads and
verify go on. Without, PostgreSQL ends, and everything is told 503. Either way no process of ours dies, and with room
again everything resumes by itself.
"""

import asyncio
import json
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.rigs.faults.oracle import settled_books
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.processes import api_processes
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import Gateway, gateway

SEED = 62
WORKERS = 2
PARALLEL = 12
SEGMENTS = 16
MAX_SEGMENTS = 100
A_SEGMENT = "SELECT pg_logical_emit_message(true, '', ''), pg_switch_wal()"
SERVED_WITHIN_S = 120.0
DEADLINE_S = "8"
"""Whose reserve still found room, and whose settle did not, is told so by then."""

TOLD = {(503, "ledger_unavailable"), (503, "settlement_pending"), (200, None)}
"""The last is a stream that ends with an error chunk."""

FULL_S = 10.0
"""Time that the disk stays full after the first 503, under load."""

MAX_WAVES = 400
"""Until there is no room for another event: what Postgres had allocated before goes on for a while."""


def main(folder: Path) -> None:
    print(f"seed {SEED}")
    with (
        own_provider(SEED) as provider,
        gateway(
            provider.url,
            workers=WORKERS,
            inside=folder,
            GATEWAYZ_RESERVE_PATIENCE_S="1.5",
            GATEWAYZ_REQUEST_DEADLINE_S=DEADLINE_S,
            GATEWAYZ_STREAM_DEADLINE_S=DEADLINE_S,
        ) as house,
    ):
        _, key = house.account_with_key("full", usd="1000")
        keep_log_to_recycle(house.dsn())
        running = api_processes(house.supervisor.pid, WORKERS)
        seen = ask(house, key, "before")
        assert all(s.whole for s in seen)
        seen += without_room_for_events(folder, house, key)
        seen += without_room_for_the_log(folder, house, key)
        assert api_processes(house.supervisor.pid, WORKERS) == running, "nobody of ours died of it"
        assert {(s.status, s.error_code) for s in seen if not s.whole} <= TOLD
        settled_books(house, house.dsn(), provider, seen)


def without_room_for_events(folder: Path, house: Gateway, key: str) -> list[Seen]:
    ballast = fill(folder)
    seen = until_refused(house, key)
    assert credits_answer(house, key), "reads go on"
    verified = house.command("verify", "--json")
    assert verified.stdout, f"verify said nothing and left with {verified.returncode}: {verified.stderr}"
    findings = json.loads(verified.stdout)["findings"]
    assert {finding["check"] for finding in findings} <= {"lag"}, findings  # there is no room for read models either
    ballast.unlink()
    return seen + until_served(house, key)


def without_room_for_the_log(folder: Path, house: Gateway, key: str) -> list[Seen]:
    """PostgreSQL gives up when its log cannot grow."""
    ballast = fill(folder)
    with suppress(psycopg.OperationalError), psycopg.connect(house.dsn(), autocommit=True) as connection:
        for _ in range(MAX_SEGMENTS):
            connection.execute(A_SEGMENT)
    seen = ask(house, key, "nothing works")
    assert not any(s.whole for s in seen)
    ballast.unlink()
    return seen + until_served(house, key)


def keep_log_to_recycle(dsn: str) -> None:
    """As a cluster that has worked for a while has it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(SEGMENTS):
            connection.execute(A_SEGMENT)
        connection.execute("CHECKPOINT")


def until_served(house: Gateway, key: str) -> list[Seen]:
    """What was asked meanwhile is lost, unless it was answered: the last to ask are."""
    seen: list[Seen] = []
    deadline_s = time.monotonic() + SERVED_WITHIN_S
    while not (seen and all(s.whole for s in seen[-PARALLEL:])):
        assert time.monotonic() < deadline_s, seen[-PARALLEL:]
        seen += ask(house, key, f"after {time.monotonic_ns()}")
    return seen


def ask(house: Gateway, key: str, name: str) -> list[Seen]:
    return asyncio.run(ask_all(house.port, key, "test/tokens", [f"{name} {n} takes 0 s" for n in range(PARALLEL)]))


def until_refused(house: Gateway, key: str) -> list[Seen]:
    """Ask until nothing can be written, and for a while longer."""
    seen: list[Seen] = []
    refused_s: float | None = None
    for wave in range(MAX_WAVES):
        seen += ask(house, key, f"full {wave}")
        if refused_s is None and any(s.status == 503 for s in seen):
            refused_s = time.monotonic()
        if refused_s is not None and time.monotonic() > refused_s + FULL_S:
            return seen
    raise AssertionError("the disk was never full")


def fill(folder: Path) -> Path:
    """Take all room there is, to the last block."""
    ballast = folder / "ballast"
    for size in (1 << 20, 4_096):
        with ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def credits_answer(house: Gateway, key: str) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{house.port}/v1/credits", headers={"authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bool(json.load(answer)["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
