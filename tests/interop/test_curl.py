"""curl, as people paste it: the one client that everybody has."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.installation import Installation
from tests.interop.raw_http import chat, events_of

CHAT = "/v1/chat/completions"


def curl(house: Installation, path: str, *options: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """As a customer of the demo account."""
    credentials = house.credentials
    key = ("-H", f"Authorization: Bearer {credentials['demo_key']}")
    command = ["curl", "-q", "--noproxy", "*", "-sS", *key, *options, credentials["base_url"] + path]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=True)


def post(house: Installation, body: bytes, *options: str) -> bytes:
    """The body by standard input, so that it may be of any size."""
    given = ("-H", "Content-Type: application/json", "--data-binary", "@-", *options)
    return curl(house, CHAT, *given, stdin=body).stdout


def test_an_answer(house: Installation) -> None:
    assert json.loads(post(house, chat("hi")))["choices"][0]["message"]["content"] == "hi"


def test_a_stream_comes_event_by_event(house: Installation) -> None:
    assert events_of(post(house, chat("hi you", stream=True), "-N"))[-1] == "[DONE]"


def test_headers_of_an_answer(house: Installation) -> None:
    head, _, body = post(house, chat("hi"), "-i").partition(b"\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
    answer = json.loads(body, parse_float=str)
    assert headers["x-gatewayz-cost"] == answer["usage"]["cost"]
    assert headers["x-generation-id"] == answer["id"]


def test_a_body_of_five_megabytes_with_100_continue(house: Installation) -> None:
    """Which curl asks for by itself above one megabyte."""
    assert json.loads(post(house, chat("x " * 2_500_000)))["object"] == "chat.completion"


def test_a_chunked_upload(house: Installation) -> None:
    answer = post(house, chat("in chunks"), "-H", "Transfer-Encoding: chunked")
    assert b"in chunks" in answer


def test_HTTP_1_0_and_head(house: Installation) -> None:
    assert events_of(post(house, chat("old", stream=True), "--http1.0"))[-1] == "[DONE]"
    assert curl(house, "/health", "-I").stdout.startswith(b"HTTP/1.1 200")


def test_one_connection_for_many_requests(house: Installation, tmp_path: Path) -> None:
    url = house.credentials["base_url"] + "/v1/credits"
    told = ("-w", "%{num_connects} ", "-o", str(tmp_path / "1"), url, "-o", str(tmp_path / "2"))
    assert curl(house, "/v1/credits", *told).stdout == b"1 0 "


def test_a_refusal_by_its_status(house: Installation) -> None:
    told = curl(house, "/v1/nothing", "-w", " %{http_code}").stdout
    assert b'"code":"not_found"' in told
    assert told.endswith(b" 404")


def test_hanging_up_in_time(house: Installation) -> None:
    options = ("--max-time", "1", "-H", "Content-Type: application/json", "--data-binary", "@-")
    with pytest.raises(subprocess.CalledProcessError) as gave_up:
        curl(house, CHAT, *options, stdin=chat(model="sandbox/slow"))
    assert gave_up.value.returncode == 28, "curl's own word for a timeout"
