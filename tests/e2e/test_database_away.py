"""A gateway whose database is out of reach says so in time on every route, and loses and doubles nothing (P5)."""

import asyncio
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.e2e.installation import Installation, eventually, installation
from tests.faults.fault_proxy import FaultProxy

PATIENCE_S = 1.0
SOON_S = 4.0
"""The patience, and what a busy machine needs to answer."""


class Answer(NamedTuple):
    status: int
    body: dict[str, object]
    retry_after: str | None
    seconds: float


class Network:
    """A fault proxy in front of the database, on a loop of its own."""

    def __init__(self, dsn: str) -> None:
        place = conninfo_to_dict(dsn)
        self._proxy = FaultProxy(str(place["host"]), int(str(place["port"])))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._proxy.start(), self._loop).result(5)
        self.dsn = dsn.replace(f"{place['host']}:{place['port']}", f"127.0.0.1:{self._proxy.port}")

    def stand_still(self) -> None:
        self._loop.call_soon_threadsafe(self._proxy.stand_still)

    def refuse(self) -> None:
        self._proxy.is_refusing = True
        self._loop.call_soon_threadsafe(self._proxy.cut)

    def heal(self) -> None:
        self._proxy.is_refusing = False
        self._loop.call_soon_threadsafe(self._proxy.resume)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@pytest.fixture
def network(database_url: str) -> Iterator[Network]:
    network = Network(database_url)
    yield network
    network.close()


@pytest.fixture
def running(network: Network) -> Iterator[Installation]:
    with installation(DATABASE_URL=network.dsn, GATEWAYZ_PATIENCE_S=str(PATIENCE_S)) as made:
        made.start()
        eventually((made.home / "credentials.json").exists)
        yield made
        network.heal()


@contextmanager
def broken(network: Network, breaking: Callable[[Network], None]) -> Iterator[None]:
    breaking(network)
    time.sleep(0.6)  # until processes know that their tail of key events is too old to be trusted
    yield
    network.heal()


def asked(
    running: Installation, path: str, body: object = None, *, key: str = "", name: str | None = None, method: str = ""
) -> Answer:
    request = running.request(path, body, key)
    if name:
        request.add_header("Idempotency-Key", name)
    if method:
        request.method = method
    began = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, json.load(answer), None, time.monotonic() - began)
    except urllib.error.HTTPError as refused:
        with refused:
            told = json.load(refused)["error"]
        return Answer(refused.code, told, refused.headers["retry-after"], time.monotonic() - began)


@pytest.mark.parametrize("breaking", [Network.stand_still, Network.refuse])
def test_P5_routes_answer_503_in_time_and_a_repeated_grant_is_made_once(
    running: Installation, network: Network, breaking: Callable[[Network], None]
) -> None:
    admin = running.credentials["admin_key"]
    account = str(
        asked(running, "/admin/accounts", {"username": "al", "email": "al@example.com"}, key=admin).body["account_id"]
    )
    grant = {"amount_usd": "1.5", "kind": "purchased", "reason": "credit in a storm"}
    path = f"/admin/accounts/{account}"

    def grant_once() -> Answer:
        return asked(running, f"{path}/grants", grant, key=admin, name="storm")

    with broken(network, breaking):
        refused = [
            grant_once(),
            asked(running, f"{path}/state", {"state": "closed", "reason": "closed in a storm"}, key=admin),
            asked(running, f"{path}/keys", {"label": "x", "environment": "live"}, key=admin),
            asked(running, path, key=admin),
            asked(running, "/v1/credits"),
            asked(running, "/v1/keys"),
        ]
    assert {(answer.status, answer.body["code"]) for answer in refused} == {(503, "ledger_unavailable")}
    assert {answer.retry_after for answer in refused} == {"1"}
    assert max(answer.seconds for answer in refused) < SOON_S
    eventually(lambda: grant_once().status == 201, within_s=60)
    view = asked(running, path, key=admin).body
    assert view["posted_usd"] == "1.5"
    assert "clean" in running.command("verify").stdout
