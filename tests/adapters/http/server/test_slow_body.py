"""Bodies that do not come, or only in pieces."""

import json
import socket

from adapters.inbound.http.gateway import Limits
from tests.adapters.http.house import MODEL, House
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import whole_answer

BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "x"}]}).encode()


def test_a_body_that_does_not_come_is_408_and_the_connection_ends(served: Served) -> None:
    house = House(limits=Limits(body_timeout_s=0.1))
    served.app = house.app
    with connected(served, house, len(BODY)) as connection:
        connection.sendall(BODY[:10])
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 408")
    assert b'"code":"body_timeout"' in received


def test_a_body_that_announces_itself_too_large_is_not_waited_for(house: House, served: Served) -> None:
    with connected(served, house, 40_000_000) as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")


def test_a_body_in_pieces_is_one_body(house: House, served: Served) -> None:
    house.providers.answers[MODEL] = whole_answer()
    with connected(served, house, len(BODY)) as connection:
        for start in range(0, len(BODY), 20):
            connection.sendall(BODY[start : start + 20])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")


def connected(served: Served, house: House, length: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", served.port), timeout=5)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {house.key}\r\ncontent-length: {length}\r\n\r\n"
    )
    connection.sendall(head.encode())
    return connection
