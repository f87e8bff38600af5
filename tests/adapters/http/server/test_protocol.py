"""What the protocol itself bounds, on raw sockets: heads, fields, pipelines, silence, and what a body is asked of."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send

from adapters.inbound.http.edge.bounds import MAX_FIELDS, MAX_HEAD_BYTES, MAX_PIPELINED
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import House, error_of
from tests.adapters.http.raw import READ, everything, whole_answer
from tests.adapters.http.served import Served

GET = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.fixture(autouse=True)
def _restored(served: Served) -> Iterator[None]:
    served.refusals.clear()
    before = served.edge.head_timeout_s
    yield
    served.edge.head_timeout_s = before


def test_a_head_of_the_largest_size_is_answered(house: House, served: Served) -> None:
    assert asked(served, head_of(MAX_HEAD_BYTES)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("size", [MAX_HEAD_BYTES + 1, 20 * MAX_HEAD_BYTES])
def test_a_larger_head_is_431_and_the_connection_ends(house: House, served: Served, size: int) -> None:
    answer = asked(served, head_of(size))
    assert answer.startswith(b"HTTP/1.1 431")
    assert error_of(answer.partition(b"\r\n\r\n")[2])["code"] == "head_too_large"
    assert [refusal.code for refusal in served.refusals] == ["head_too_large"]


@pytest.mark.parametrize("piece", [b"x" * 4_096, b"x: y\r\n" * 700, b"\r\n" * 2_048])
def test_a_head_that_never_ends_is_not_kept(house: House, served: Served, piece: bytes) -> None:
    with served.connect() as connection:
        connection.sendall(b"" if piece.startswith(b"\r") else b"GET /health HTTP/1.1\r\nhost: a\r\nx: ")
        sent = 0
        try:
            while sent < 16 * 2**20:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        assert sent < 16 * 2**20, "the connection was still being read"


def test_a_hundred_fields_are_answered_and_one_more_is_431(house: House, served: Served) -> None:
    assert asked(served, fields_of(MAX_FIELDS)).startswith(b"HTTP/1.1 200")
    assert asked(served, fields_of(MAX_FIELDS + 1)).startswith(b"HTTP/1.1 431")


def test_a_head_is_understood_wherever_it_is_cut(house: House, served: Served) -> None:
    """Two requests, cut into two reads at every place: each is answered once."""
    both = GET + b"GET /nowhere HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n"
    for cut in range(1, len(both)):
        with served.connect() as connection:
            connection.sendall(both[:cut])
            time.sleep(0.001)
            connection.sendall(both[cut:])
            answer = everything(connection)
        assert answer.count(b"HTTP/1.1 200") == 1, cut
        assert answer.count(b"HTTP/1.1 404") == 1, cut


@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\nhost: a\r\n"])
def test_a_head_that_does_not_come_in_time_ends_the_connection(house: House, served: Served, said: bytes) -> None:
    served.edge.head_timeout_s = 0.2
    with served.connect() as connection:
        connection.sendall(said)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 408") if said else answer == b""


def test_a_second_head_has_its_own_time(house: House, served: Served) -> None:
    served.edge.head_timeout_s = 0.3
    with served.connect() as connection:
        connection.sendall(GET)
        assert whole_answer(connection).startswith(b"HTTP/1.1 200")
        time.sleep(0.5)  # an idle connection is kept: only a head that has begun is hurried
        connection.sendall(GET)
        assert whole_answer(connection).startswith(b"HTTP/1.1 200")
        connection.sendall(GET[:10])
        assert everything(connection).startswith(b"HTTP/1.1 408")


def test_an_idle_connection_ends_after_its_time_and_not_before(served: Served) -> None:
    """Also if it was used while its timer ran, and however long an answer takes."""
    pauses_s = iter([0.0, 0.7, 0.0])

    async def pausing(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(next(pauses_s))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    served.app = pausing
    with served.connect() as connection:
        ours = connection.getsockname()
        eventually(lambda: [one for one in served.protocols() if one.client == ours])
        (protocol,) = [one for one in served.protocols() if one.client == ours]
        protocol.timeout_keep_alive = 0.4  # type: ignore[assignment]
        for _ in range(3):
            connection.sendall(GET)
            assert whole_answer(connection).startswith(b"HTTP/1.1 200")
            answered_s = time.monotonic()
            time.sleep(0.25)
        assert everything(connection) == b""
        assert 0.35 < time.monotonic() - answered_s < 2


def test_five_thousand_pipelined_requests_are_all_answered(house: House, served: Served) -> None:
    with served.connect() as connection:
        connection.sendall(GET * 4_999 + GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        assert everything(connection).count(b"HTTP/1.1 200") == 5_000


def test_no_more_than_eight_requests_wait_and_nothing_more_is_read(served: Served) -> None:
    """While a request is not answered its connection takes what one read brings; the kernel buffers some more."""
    asked_for: list[str] = []
    may_end = threading.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        asked_for.append(scope["path"])
        await receive()  # uvicorn would read on for it, and after each answer
        if len(asked_for) > 20:
            await asyncio.to_thread(may_end.wait, 10)
        await asyncio.sleep(0.005)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    served.app = slow
    with served.connect() as connection:
        connection.settimeout(0.5)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, READ)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 256 * 2**20:
                sent += connection.send(GET * 1_000)
        assert sent < 64 * 2**20
        (protocol,) = [one for one in served.protocols() if one.pipeline]
        assert len(protocol.pipeline) <= MAX_PIPELINED
        assert len(asked_for) == 21
        assert 0 < served.edge.held_bytes <= 4 * READ
    may_end.set()
    eventually(lambda: served.edge.held_bytes == 0)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\n\r\n", 200),
        (b"GET /health HTTP/1.0\r\nhost: a\r\n\r\n", 200),
    ],
)
def test_one_host_and_no_second(house: House, served: Served, head: bytes, status: int) -> None:
    assert asked(served, head).split()[1] == b"%d" % status


def test_garbage_is_refused_in_the_envelope(house: House, served: Served) -> None:
    answer = asked(served, b"\x16\x03\x01\x02\x00\x01\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert error_of(answer.partition(b"\r\n\r\n")[2])["code"] == "invalid_http"


def test_garbage_behind_a_request_waits_for_its_answer(house: House, served: Served) -> None:
    answer = asked(served, GET + b"\x00\x01\r\n\r\n")
    assert answer.index(b"HTTP/1.1 200") < answer.index(b"HTTP/1.1 400")


@pytest.mark.parametrize("before", [b"", GET])
def test_a_body_that_is_none_is_refused_in_place_of_its_answer(house: House, served: Served, before: bytes) -> None:
    post = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
    answer = asked(served, before + post)
    assert answer.count(b"HTTP/1.1 200") == bool(before)
    assert answer.count(b"HTTP/1.1 ") == 1 + bool(before)
    assert b'"code":"invalid_http"' in answer


@pytest.mark.parametrize(
    "fields",
    [
        b"content-length: 2\r\ncontent-length: 3",
        b"content-length: 2\r\ntransfer-encoding: chunked",
        b"content-length: -1",
        b"content-length: two",
        b"content-length: +2",
        b"content-length: 2, 2",
        b"content-length: 99999999999999999999",
        b"transfer-encoding: rot13",
        b"transfer-encoding: chunked, gzip",
        b"content-length : 2",
    ],
)
def test_a_length_that_is_in_doubt_is_refused_and_nothing_is_served(served: Served, fields: bytes) -> None:
    bodies: list[bytes] = []
    served.app = noting([], bodies)
    answer = asked(served, b"POST / HTTP/1.1\r\nhost: a\r\n" + fields + b"\r\n\r\n{}" + GET)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 400") <= 1
    assert not any(bodies)


@pytest.mark.parametrize("target", [b"+v1/models", b"v1/models", b"http://a:b:c/", b"/\xff", b"[", b"//["])
def test_a_target_that_is_none_is_refused_and_touches_no_request_before_it(
    house: House, served: Served, target: bytes
) -> None:
    wrong = b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % target
    alone = asked(served, wrong)
    assert int(alone.split()[1]) in (400, 404)
    behind = asked(served, GET + wrong)
    assert behind.index(b"HTTP/1.1 200") < behind.index(alone.split(b"\r\n")[0])


def test_nothing_is_asked_of_a_client_whose_request_was_refused(served: Served) -> None:
    """It was still waiting for its turn to read the body when the refusal ended the connection."""
    ends: list[object] = []

    async def reading_late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        try:
            ends.append((await receive())["type"])
        except BaseException as fault:
            ends.append(fault)
            raise

    served.app = reading_late
    head = b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = asked(served, head + b"zz\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    eventually(lambda: ends)
    assert ends == ["http.disconnect"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/keys", "/admin/accounts"])
def test_without_a_key_a_body_is_neither_asked_for_nor_read(house: House, served: Served, path: str) -> None:
    with served.connect() as connection:
        head = f"POST {path} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 30000000\r\n\r\n"
        connection.sendall(head.encode())
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"100 Continue" not in answer
    assert b"connection: close" in answer


def test_a_known_key_is_asked_for_its_body(house: House, served: Served) -> None:
    with served.connect() as connection:
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {house.key}\r\n"
            "content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(READ).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"{}")
        assert connection.recv(READ).startswith(b"HTTP/1.1 400")


def test_a_client_that_leaves_is_noticed_by_the_request_that_is_answered(served: Served) -> None:
    """Not by the last one that it sent: the one before writes on, into nothing, to its end."""
    ends: list[object] = []

    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            for _ in range(200):
                await send({"type": "http.response.body", "body": b"x" * 1_000, "more_body": True})
                await asyncio.sleep(0.005)
            ends.append((await receive())["type"])
        except BaseException as fault:
            ends.append(fault)
            raise

    served.app = streaming
    with served.connect() as connection:
        connection.sendall(GET * 2)
        connection.recv(READ)
    eventually(lambda: ends)
    assert ends == ["http.disconnect"]


def test_trailers_are_no_headers(served: Served) -> None:
    seen: list[Scope] = []
    served.app = noting(seen)
    body = b"2\r\nhi\r\n0\r\nauthorization: Bearer x\r\n\r\n"
    asked(served, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n" + body)
    assert all(name != b"authorization" for name, _ in seen[0]["headers"])


@pytest.mark.parametrize("endless", [b"2;" + b"x" * 2**20, b"0\r\n" + b"x: " + b"y" * 2**20])
def test_what_surrounds_the_pieces_of_a_body_is_bounded(served: Served, endless: bytes) -> None:
    served.app = noting([])
    with served.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n")
        try:
            for _ in range(16):
                connection.sendall(endless)
                endless = b"x" * 2**20
        except OSError:
            return
        assert not everything(connection)


def test_a_request_that_asks_for_an_upgrade_keeps_its_body(served: Served) -> None:
    bodies: list[bytes] = []
    served.app = noting([], bodies)
    inner = b"GET /admin HTTP/1.1\r\nhost: a\r\n\r\n"
    fields = b"host: a\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: %d\r\n\r\n" % len(inner)
    head = b"POST / HTTP/1.1\r\n" + fields
    assert asked(served, head + inner + GET, answers=2).count(b"HTTP/1.1 200") == 2
    assert bodies == [inner, b""]


def test_blanks_around_a_value_are_not_part_of_it(house: House, served: Served) -> None:
    head = f"GET /v1/key HTTP/1.1\r\nhost: a\r\nx-api-key:  \t {house.key} \t \r\nconnection: close\r\n\r\n"
    assert asked(served, head.encode()).startswith(b"HTTP/1.1 200")


def head_of(size: int) -> bytes:
    start, end = b"GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: ", b"\r\n\r\n"
    return start + b"y" * (size - len(start) - len(end)) + end


def fields_of(number: int) -> bytes:
    extra = b"".join(b"x-%d: y\r\n" % index for index in range(number - 2))
    return b"GET /health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n" + extra + b"\r\n"


def asked(served: Served, request: bytes, answers: int = 0) -> bytes:
    with served.connect() as connection:
        connection.sendall(request)
        if not answers:
            connection.shutdown(socket.SHUT_WR)
            return everything(connection)
        received = b""
        while received.count(b"HTTP/1.1 ") < answers:
            received += connection.recv(READ)
        return received


def noting(scopes: list[Scope], bodies: list[bytes] | None = None):  # type: ignore[no-untyped-def]
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        scopes.append(scope)
        if bodies is not None:
            bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app
