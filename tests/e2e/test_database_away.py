"""A gateway whose database is out of reach says so in time on every route, and loses and doubles nothing (P5)."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from tests.rigs.faults.proxy_beside import ProxyBeside, proxied_database
from tests.rigs.installation.installation import Installation, eventually, installation

PATIENCE_S = 1.0
SOON_S = 4.0
"""The patience, and what a busy machine needs to answer."""


class Answer(NamedTuple):
    status: int
    body: dict[str, object]
    retry_after: str | None
    seconds: float


class House(NamedTuple):
    running: Installation
    proxy: ProxyBeside


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with (
        proxied_database(database_url) as (proxy, through),
        installation(DATABASE_URL=through, GATEWAYZ_PATIENCE_S=str(PATIENCE_S)) as made,
    ):
        made.start()
        eventually((made.home / "credentials.json").exists)
        yield House(made, proxy)
        heal(proxy)


def refuse(proxy: ProxyBeside) -> None:
    proxy.set(is_refusing=True)
    proxy.cut()


def heal(proxy: ProxyBeside) -> None:
    proxy.set(is_refusing=False)
    proxy.resume()


@contextmanager
def broken(proxy: ProxyBeside, breaking: Callable[[ProxyBeside], None]) -> Iterator[None]:
    breaking(proxy)
    time.sleep(0.6)  # until processes know that their tail of key events is too old to be trusted
    yield
    heal(proxy)


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


@pytest.mark.parametrize("breaking", [ProxyBeside.stand_still, refuse])
def test_P5_routes_answer_503_in_time_and_a_repeated_grant_is_made_once(
    house: House, breaking: Callable[[ProxyBeside], None]
) -> None:
    running, proxy = house
    admin = running.credentials["admin_key"]
    account = str(
        asked(running, "/admin/accounts", {"username": "al", "email": "al@example.com"}, key=admin).body["account_id"]
    )
    grant = {"amount_usd": "1.5", "kind": "purchased", "reason": "credit in a storm"}
    path = f"/admin/accounts/{account}"

    def grant_once() -> Answer:
        return asked(running, f"{path}/grants", grant, key=admin, name="storm")

    with broken(proxy, breaking):
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
    # Reads have connections of their own, which may come back later than the append's.
    eventually(lambda: asked(running, path, key=admin).status == 200, within_s=60)
    assert asked(running, path, key=admin).body["posted_usd"] == "1.5"
    assert "clean" in running.command("verify").stdout
