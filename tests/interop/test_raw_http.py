"""What any HTTP client may do, to the byte: framing, connections, methods, versions (RFC 9110, RFC 9112)."""

import json
import time

import pytest

from tests.interop.raw_http import chat, connected, events_of
from tests.rigs.installation.installation import Installation, eventually

CHAT = "/v1/chat/completions"
JSON = "Content-Type: application/json"


def length(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


def test_a_connection_serves_one_request_after_the_other(house: Installation) -> None:
    with connected(house) as wire:
        for number in range(5):
            body = chat(f"number {number}")
            wire.send(wire.head("POST", CHAT, JSON, length(body)) + body)
            answer = wire.answer()
            assert (answer.version, answer.status) == ("HTTP/1.1", 200)
            assert json.loads(answer.body)["choices"][0]["message"]["content"] == f"number {number}"
            assert not answer.is_chunked, "a whole answer says how long it is"


def test_pipelined_requests_are_answered_in_their_order(house: Installation) -> None:
    bodies = [chat("first"), chat("second", stream=True), chat("third")]
    with connected(house) as wire:
        wire.send(b"".join(wire.head("POST", CHAT, JSON, length(body)) + body for body in bodies))
        first, second, third = wire.answer(), wire.answer(), wire.answer()
    assert b"first" in first.body
    assert events_of(second.body)[-1] == "[DONE]"
    assert b"third" in third.body


def test_a_stream_is_chunked_and_each_event_is_whole(house: Installation) -> None:
    body = chat("a b c", stream=True)
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, JSON, length(body)) + body)
        answer = wire.answer()
        assert answer.is_chunked
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        *chunks, done = events_of(answer.body)
        assert done == "[DONE]"
        assert json.loads(chunks[-1])["usage"]["cost"] > 0
        text = "".join(c["delta"].get("content", "") for chunk in chunks for c in json.loads(chunk)["choices"])
        assert text == "a b c"
        assert wire.ask("GET", "/health").status == 200, "and the connection goes on"


def test_a_body_may_come_in_chunks_of_any_size_at_any_pace(house: Installation) -> None:
    body = chat()
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, JSON, "Transfer-Encoding: chunked"))
        for start in range(0, len(body), 7):
            piece = body[start : start + 7]
            wire.send(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece))
            time.sleep(0.002)
        wire.send(b"0\r\n\r\n")
        assert wire.answer().status == 200


def test_a_head_may_come_byte_by_byte(house: Installation) -> None:
    with connected(house) as wire:
        for byte in wire.head("GET", "/v1/credits"):
            wire.send(bytes([byte]))
        assert wire.answer().status == 200


def test_100_continue_asks_for_the_body_of_a_request_with_a_good_key(house: Installation) -> None:
    body = chat()
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, JSON, length(body), "Expect: 100-continue"))
        assert wire.answer().status == 100
        wire.send(body)
        assert wire.answer().status == 200


def test_a_body_that_would_be_refused_is_not_asked_for(house: Installation) -> None:
    expects = (JSON, "Content-Length: 30000000", "Expect: 100-continue")
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, *expects, key="gw_live_stranger"))
        assert (answer := wire.answer()).status == 401
        assert answer.code == "invalid_api_key"
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, JSON, "Content-Length: 40000000", "Expect: 100-continue"))
        assert wire.answer().status == 413


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/metrics", "/v1/models", "/v1/models/sandbox/echo", "/api/v1/models"]
)
def test_HEAD_says_what_GET_would_without_its_body(house: Installation, path: str) -> None:
    with connected(house) as wire:
        head, got = wire.ask("HEAD", path), wire.ask("GET", path)
    assert (head.status, head.headers["content-type"]) == (got.status, got.headers["content-type"])
    assert head.body == b""
    assert abs(int(head.headers["content-length"]) - len(got.body)) < 200, "metrics and lags differ a little"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "HEAD"])
def test_a_method_that_a_path_lacks_is_405_and_says_which_it_has(house: Installation, method: str) -> None:
    with connected(house) as wire:
        answer = wire.ask(method, CHAT)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
        assert wire.ask("GET", "/health").status == 200


def test_HTTP_1_0_gets_a_body_that_ends_with_the_connection(house: Installation) -> None:
    body = chat("one two", stream=True)
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, JSON, length(body), version="1.0") + body)
        answer = wire.answer()
        assert answer.status == 200
        assert not answer.is_chunked, "which HTTP/1.0 cannot read"
        assert events_of(answer.body)[-1] == "[DONE]"
        assert wire.is_closed


def test_connection_close_is_heeded(house: Installation) -> None:
    with connected(house) as wire:
        assert wire.ask("GET", "/health", "Connection: close").status == 200
        assert wire.is_closed


def test_a_client_that_reads_slowly_gets_all_of_it(house: Installation) -> None:
    body = chat(" ".join(["word"] * 2_000), stream=True)
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, JSON, length(body)) + body)
        time.sleep(1.0)
        events = events_of(wire.answer().body)
    assert (len(events) > 2_000, events[-1]) == (True, "[DONE]")


def test_P1_a_client_that_hangs_up_in_a_stream_is_charged_for_what_was_produced(house: Installation) -> None:
    before = house.command("statement", "demo", "--json").stdout
    body = chat("left early " * 50, stream=True, model="sandbox/slow")
    with connected(house) as wire:
        wire.send(wire.head("POST", CHAT, JSON, length(body)) + body)
        wire.read_some()

    def settled() -> bool:
        after = json.loads(house.command("statement", "demo", "--json").stdout)
        last = after["requests"][-1]
        return bool(len(after["requests"]) > len(json.loads(before)["requests"]) and last["status"] == "settled")

    eventually(settled, within_s=60)


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: minus\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_HTTP_is_refused_and_the_connection_ends(house: Installation, request_: bytes) -> None:
    with connected(house) as wire:
        wire.send(request_)
        answer = wire.answer()
        assert 400 <= answer.status < 500
        assert wire.is_closed


def test_a_request_is_not_smuggled_in_a_body_with_two_lengths(house: Installation) -> None:
    """RFC 9112, 6.1: with both of them a server may refuse, or go by the chunks and close the connection."""
    hidden = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with connected(house) as wire:
        wire.send(
            wire.head("POST", CHAT, JSON, "Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + hidden
        )
        assert 400 <= wire.answer().status < 500
