"""P2: what providers work for and nobody pays is bounded per account, on two API processes (attack 22)."""

import json
import socket
import time
import urllib.error
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.rigs.installation.installation import eventually
from tests.rigs.providers.provider_process import ProviderProcess, own_provider
from tests.rigs.running import Gateway, gateway

SEED = 20_261_127
LIMIT_NUSD = 400_000
READ_ON_S, DEADLINE_S = 1.5, 1.0
OUTPUT_NUSD = 600
MAX_TOKENS = 4_000


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderProcess]:
    with own_provider(SEED) as started:
        yield started


@pytest.fixture(scope="module")
def running(provider: ProviderProcess) -> Iterator[Gateway]:
    settings: dict[str, Any] = {
        "GATEWAYZ_UNPAID_WORK_USD": "0.0004",
        "GATEWAYZ_READ_ON_S": str(READ_ON_S),
        "GATEWAYZ_REQUEST_DEADLINE_S": str(DEADLINE_S),
    }
    with gateway(provider.url, workers=2, **settings) as started:
        yield started


def asked(marker: str, *, stream: bool) -> dict[str, object]:
    messages = [{"role": "user", "content": marker}]
    return {"model": "test/tokens", "messages": messages, "max_tokens": MAX_TOKENS, "stream": stream}


def left_in_the_middle(gw: Gateway, key: str) -> None:
    """Some text, then silence, and the client hangs up."""
    leave(gw, key, "falls silent", b"word ")


def left_at_the_start(gw: Gateway, key: str) -> None:
    """The model thinks; not even a head has come when the client hangs up."""
    leave(gw, key, "takes 60 s", b"")


def timed_out(gw: Gateway, key: str) -> None:
    """A whole answer that does not come before its deadline."""
    with pytest.raises(urllib.error.HTTPError, match="504"):
        gw.call("/v1/chat/completions", asked("takes 60 s", stream=False), key)


def leave(gw: Gateway, key: str, marker: str, said: bytes) -> None:
    body = json.dumps(asked(marker, stream=True)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    before = len(unpaid(gw))
    with socket.create_connection(("127.0.0.1", gw.port), timeout=10) as client:
        client.sendall(head.encode() + body)
        received = b""
        while said not in received:
            received += client.recv(65_536)
        time.sleep(0.3)  # so that the request is with its provider
    eventually(lambda: len(unpaid(gw)) > before)


def unpaid(gw: Gateway, account: str = "%") -> list[dict[str, Any]]:
    with psycopg.connect(gw.dsn()) as connection:
        rows = connection.execute(
            "SELECT state FROM ledger.stored_events WHERE topic = 'credit.work_unpaid.v1' AND originator_id LIKE %s"
            " ORDER BY notification_id",
            [f"credit-{account}"],
        ).fetchall()
    return [json.loads(state) for (state,) in rows]


DOORS: dict[Callable[[Gateway, str], None], str] = {
    left_in_the_middle: "abandoned",
    left_at_the_start: "abandoned",
    timed_out: "timed_out",
}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_p2_what_nobody_pays_ends_at_the_limit(
    running: Gateway, provider: ProviderProcess, door: Callable[[Gateway, str], None]
) -> None:
    account, key = running.account_with_key(door.__name__.replace("_", ""))
    calls = provider.calls()
    while sum(work["presumed_nusd"] for work in unpaid(running, account)) <= LIMIT_NUSD:
        door(running, key)
        assert len(unpaid(running, account)) <= LIMIT_NUSD // (100 * OUTPUT_NUSD) + 1
    works = unpaid(running, account)
    assert {work["cause"] for work in works} == {DOORS[door]}
    assert max(work["presumed_nusd"] for work in works) <= (MAX_TOKENS + 100) * OUTPUT_NUSD  # and the prompt
    for stream in (True, False):
        with pytest.raises(urllib.error.HTTPError, match="429") as refused:
            running.call("/v1/chat/completions", asked("again", stream=stream), key)
        error = json.load(refused.value)["error"]
        assert error["code"] == "unfinished_work_limit"
        assert int(refused.value.headers["retry-after"]) > 29 * 86_400
    assert provider.calls() - calls == len(works), "what was refused called nobody"
    print(f"  {door.__name__}: refused after {len(works)} requests, {sum(w['presumed_nusd'] for w in works)} nUSD")


def test_p2_others_are_served_and_the_ledger_is_clean(running: Gateway) -> None:
    _, key = running.account_with_key("other")
    assert running.call("/v1/chat/completions", asked("hello", stream=False), key)["id"]
    verified = running.command("verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
