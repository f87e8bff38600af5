"""P9: API processes share one port, and their metrics add up."""

import json
import math
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.installation.installation import Installation, eventually, installation
from tests.rigs.processes import rss_kib

API = "supervised api"
REQUESTS = 24


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with installation(GATEWAYZ_WORKERS="2") as made:
        made.start()
        yield made


def listening_inode(house: Installation) -> str:
    """Of the socket that listens on the base URL's port, from the kernel's table."""
    port = int(house.credentials["base_url"].rpartition(":")[2])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return next(row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A")


def sockets_of(pid: int) -> list[str]:
    return [str(descriptor.readlink()) for descriptor in Path(f"/proc/{pid}/fd").iterdir()]


def test_p9_two_workers_listen_on_one_socket(house: Installation) -> None:
    workers = house.children(API)[:2]
    assert len(workers) == 2
    shared = f"socket:[{listening_inode(house)}]"
    assert all(shared in sockets_of(worker) for worker in workers)


def test_p6_metrics_of_two_workers_add_up_to_what_was_charged(house: Installation) -> None:
    charged = sum(round(house.chat()["usage"]["cost"] * 10**9) for _ in range(REQUESTS))
    with urllib.request.urlopen(house.credentials["base_url"] + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    requests = 'gatewayz_requests_total{model="sandbox/echo",outcome="settled",provider="sandbox",streamed="false"}'
    assert (float(told[requests]), float(told["gatewayz_charges_nusd_total"])) == (REQUESTS, charged)
    assert float(told["gatewayz_append_commands_sum"]) >= 2 * REQUESTS, "a reserve and a settle each, some twice"
    eventually(lambda: open_reservations(house) == 0)


def open_reservations(house: Installation) -> float:
    with urllib.request.urlopen(house.credentials["base_url"] + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    told = (float(line.split()[1]) for line in lines if line.startswith("gatewayz_open_reservations "))
    return next(told, math.nan)  # left out while the process that answered has not asked the database yet


def test_p9_demo_runs_twenty_requests_and_verify_is_clean(house: Installation) -> None:
    demo = house.command("demo")
    assert demo.returncode == 0, demo.stderr
    assert demo.stdout.count("sandbox/echo") == 20
    assert "available $" in demo.stdout
    verified = house.command("verify", "--json")
    assert verified.returncode == 0, verified.stdout
    assert json.loads(verified.stdout)["findings"] == []


def test_p9_a_second_serve_in_the_same_home_is_refused(house: Installation) -> None:
    done = house.command("serve")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "already supervises" in line
    assert house.chat()


def test_p9_every_process_is_small(house: Installation) -> None:
    assert all(rss_kib(pid) < 150 * 1024 for pid in house.children(API))
