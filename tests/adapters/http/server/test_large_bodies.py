"""Bodies that could fill the memory or the loop: what is read, what is held, and who waits for whom."""

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from adapters.inbound.http.server.body_budget import SMALL_BYTES
from domain.credit.events import Reserved
from tests.adapters.http.conftest import speaker
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.served import Served
from tests.adapters.http.server.test_slow_body import connected
from tests.fakes.scripted_providers import Stop, whole_answer

PATH = "/v1/chat/completions"
MB = 1024 * 1024


def body(size: int) -> bytes:
    """About `size` bytes in one text, which need an image's bound at most."""
    url = "data:image/png;base64," + "A" * size
    parts = [{"type": "image_url", "image_url": {"url": url}}]
    asked = {"model": MODEL, "messages": [{"role": "user", "content": parts}], "max_tokens": 16}
    return json.dumps(asked).encode()


def post(client: httpx.Client, content: bytes) -> httpx.Response:
    return client.post(PATH, content=content, headers={"content-type": "application/json"})


@pytest.fixture
def poor(house: House) -> House:
    house.providers.answers[MODEL] = whole_answer()
    house.hold_all_but("0")
    return house


# ---- without credit


def test_without_credit_a_large_body_is_402_before_it_is_read(poor: House, served: Served) -> None:
    with connected(served, poor, 32_000_000) as connection:
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 402")
    assert b'"code":"body_needs_credit"' in received
    assert b"connection: close" in received.lower()


def test_nor_is_more_of_one_that_does_not_announce_itself(poor: House, served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        head = (
            f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {poor.key}\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode() + b"%x\r\n%b\r\n" % (SMALL_BYTES + 1, b" " * (SMALL_BYTES + 1)))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 402")


def test_a_small_one_is_read_and_told_what_it_lacks(poor: House, http: httpx.Client) -> None:
    answer = post(http, body(1_000))
    assert (answer.status_code, error_of(answer.content)["code"]) == (402, "insufficient_credits")


def test_new_credit_counts_at_once(poor: House, http: httpx.Client) -> None:
    assert post(http, body(100_000)).status_code == 402
    poor.grant("5")
    assert post(http, body(100_000)).status_code == 200


def test_others_do_not_wait_for_32_MB_that_nobody_can_pay(poor: House, served: Served) -> None:
    """Four at once, again and again; the time is that of requests which ask the same loop for anything."""
    flood = b'{"model":"x","messages":[' + b"[]," * 10_900_000 + b"1]}"
    stop = threading.Event()
    statuses: list[int | str] = []

    def attack() -> None:
        while not stop.is_set():
            with speaker(served, poor.key) as client:
                try:
                    statuses.append(post(client, flood).status_code)
                except httpx.TransportError as cut:  # the rest of the body was not wanted
                    statuses.append(type(cut).__name__)

    with ThreadPoolExecutor(4) as attackers, speaker(served, poor.key) as other:
        for _ in range(4):
            attackers.submit(attack)
        waited = []
        for _ in range(20):
            began = time.monotonic()
            assert other.get("/v1/models").status_code == 200
            waited.append(time.monotonic() - began)
        stop.set()
    assert poor.gateway.bodies.held_bytes == 0
    assert set(statuses) <= {402, "WriteError", "ReadError", "RemoteProtocolError"}
    assert sorted(waited)[len(waited) // 2] < 0.1
    assert max(waited) < 1.0


# ---- structure


def test_a_large_body_that_is_all_structure_is_refused_before_it_becomes_objects(
    house: House, http: httpx.Client
) -> None:
    flood = b'{"model":"x","messages":[' + b'{"role":""},' * 300_000 + b"1]}"
    answer = post(http, flood)
    assert (answer.status_code, error_of(answer.content)["code"]) == (400, "invalid_request")
    assert "brackets" in error_of(answer.content)["message"]


def test_a_long_text_in_every_alphabet_is_read(house: House, http: httpx.Client) -> None:
    house.grant("100")
    house.providers.answers[MODEL] = whole_answer()
    text = "aé€😀" * 200_000
    asked = {"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": 16}
    assert post(http, json.dumps(asked, ensure_ascii=False).encode()).status_code == 200
    broken = json.dumps(asked, ensure_ascii=False).encode().replace("😀".encode(), b"\xff", 1)
    assert error_of(post(http, broken).content)["code"] == "invalid_json"


# ---- the budget


def busy_house(served: Served, budget_bytes: int) -> tuple[House, Stop]:
    house, stop = House(body_budget_bytes=budget_bytes), Stop()
    served.app = house.app
    house.providers.answers[MODEL] = stop
    return house, stop


def test_beyond_the_budget_a_body_waits_and_is_then_refused(served: Served) -> None:
    house, stop = busy_house(served, MB)
    with ThreadPoolExecutor(1) as pool, speaker(served, house.key) as first, speaker(served, house.key) as second:
        answering = pool.submit(post, first, body(600_000))
        until(lambda: stop.is_reached)
        assert house.gateway.bodies.held_bytes > 600_000
        refused = post(second, body(600_000))
        assert (refused.status_code, error_of(refused.content)["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        stop.may_go_on = True
        assert answering.result(10).status_code == 200
        until(lambda: house.gateway.bodies.held_bytes == 0)
        assert post(second, body(600_000)).status_code == 200
    assert len(house.happened(Reserved)) == 2


def test_a_body_of_unknown_length_counts_as_it_comes(served: Served) -> None:
    house, stop = busy_house(served, MB)
    whole = body(900_000)
    parts = [whole[start : start + 50_000] for start in range(0, len(whole), 50_000)]
    with ThreadPoolExecutor(1) as pool, speaker(served, house.key) as first, speaker(served, house.key) as second:
        headers = {"content-type": "application/json"}
        answering = pool.submit(lambda: first.post(PATH, content=iter(parts), headers=headers))
        until(lambda: stop.is_reached)
        assert house.gateway.bodies.held_bytes == len(whole)
        assert second.post(PATH, content=iter(parts), headers=headers).status_code == 503
        stop.may_go_on = True
        assert answering.result(10).status_code == 200


def test_small_bodies_pass_beside_large_ones_that_take_all(served: Served) -> None:
    house, _ = busy_house(served, MB)
    house.providers.answers[MODEL] = whole_answer()
    with connected(served, house, MB), speaker(served, house.key) as client:
        until(lambda: house.gateway.bodies.held_bytes == MB)
        assert post(client, body(1_000)).status_code == 200
        assert post(client, body(100_000)).status_code == 503
    until(lambda: house.gateway.bodies.held_bytes == 0)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
