"""`python -m tests.soak.disk_full FOLDER`: a gateway whose home is on a small file system, which is filled under it.

P1: writes are told 503, reads and verify go on, no process dies, and with room again everything resumes by itself.
"""

import asyncio
import json
import sys
import time
import urllib.request
from pathlib import Path

from tests.e2e.clients import Seen, ask_all
from tests.e2e.installation import eventually
from tests.faults.oracle import settled_books
from tests.faults.processes import children_of
from tests.provider_process import own_provider
from tests.running import Gateway, gateway

SEED = 62
PARALLEL = 12
FULL_S = 10.0
"""Time that the disk stays full after the first 503, under load."""

MAX_WAVES = 400
"""Until there is no room for another event: what Postgres had allocated before goes on for a while."""


def main(folder: Path) -> None:
    print(f"seed {SEED}")
    with (
        own_provider(SEED) as provider,
        gateway(provider.url, workers=2, inside=folder, GATEWAYZ_RESERVE_PATIENCE_S="1.5") as house,
    ):
        account, key = house.account_with_key("full", usd="1000")
        running = processes(house)
        seen = ask(house, key, "before")
        assert all(s.whole for s in seen)
        ballast = fill(folder)
        seen += until_refused(house, key)
        assert credits_answer(house, key), f"reads of {account} go on"
        verified = house.command("verify")
        assert verified.returncode == 0, f"{verified.returncode} {verified.stdout} {verified.stderr}"
        assert processes(house) == running, "nobody died of it"
        ballast.unlink()
        eventually(lambda: all(s.whole for s in ask(house, key, f"after {time.monotonic_ns()}")), within_s=60)
        assert {(s.status, s.error_code) for s in seen if not s.whole} == {(503, "ledger_unavailable")}
        settled_books(house, house.dsn(), provider, seen)


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


def processes(house: Gateway) -> list[int]:
    """Those that do the work; the spare comes and goes."""
    children = children_of(house.supervisor.pid)
    return [child.pid for child in children if " api" not in child.command_line] + [
        child.pid for child in children if " api" in child.command_line
    ][:2]


def credits_answer(house: Gateway, key: str) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{house.port}/v1/credits", headers={"authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bool(json.load(answer)["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
