"""Requests, broken at random, on bare sockets against a running gateway; every answer must be one that is documented.

Each input is a good request of some kind, changed by a few of the deeds below, sent in pieces, at times left half-way.
"""

import contextlib
import json
import random
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.inbound.http.errors.table import TABLE
from tests.adapters.http.raw import READ
from tests.rigs.faults_in_log import faults_in
from tests.rigs.processes import api_processes, peak_kib
from tests.rigs.running import Gateway

MAX_GROWN_KIB = 2 * 64 * 1024
"""Twice what bodies under way may take together."""

AT_ONCE = 8

BYTES = [
    b"\x00",
    b"\xff",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b"%",
    b"{",
    b'"',
    b"\\u0000",
    b"9" * 40,
]
FIELDS = [
    b"host: b",
    b"content-length: 5",
    b"content-length: -1",
    b"content-length: 99999999999999999999",
    b"transfer-encoding: chunked",
    b"transfer-encoding: gzip, chunked",
    b"transfer-encoding: identity",
    b"expect: 100-continue",
    b"expect: the unexpected",
    b"connection: upgrade\r\nupgrade: websocket",
    b"connection: close",
    b"authorization: Bearer other",
    b"authorization: Basic eDp5",
    b"x-api-key: ",
    b"content-type: text/plain",
    b"content-encoding: gzip",
    b"idempotency-key: k",
    b"idempotency-key: \xe2\x82\xac",
    b"origin: null",
    b"x-forwarded-for: 1.2.3.4",
    b"traceparent: 00-0-0-00",
    b"if-none-match: *",
    b"x: " + b"y" * 40_000,
    b"\r\n".join(b"x-%d: y" % number for number in range(120)),
]
VALUES: list[object] = [
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    10**40,
    "",
    "x" * 10_000,
    [],
    {},
    [[]] * 50,
    {"": None},
    "\ud800",
    "\x00",
]
PATHS = [
    "/v1/chat/completions",
    "/api/v1/chat/completions",
    "/v1/keys",
    "/v1/key",
    "/v1/keys/%00",
    "/v1/models/%2F%2e%2e",
    "/v1/models?unlisted=maybe",
    "/v1/generation?id=" + "9" * 300,
    "/v1/credits?after=0-99999999999999999999999",
    "/admin/accounts",
    "/metrics",
    "/openapi.json",
    "//",
    "/%ff",
    "*",
    "http://elsewhere/health",
]
METHODS = ["GET", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD", "PUT", "TRACE", "CONNECT", "get", "X" * 50]

Deed = Callable[[random.Random, bytes], bytes]


def attack(gateway: Gateway, seed: int, inputs: int, logged: pytest.CaptureFixture[str]) -> str:
    """Sends them all, eight at a time; returns the counts by status. Fails at an answer that is not documented."""
    _, key = gateway.account_with_key("fuzzed")
    (api,) = api_processes(gateway.supervisor.pid, 1)
    began, before = time.monotonic(), peak_kib(api)

    def statuses_of(number: int) -> list[str]:
        dice = random.Random(f"{seed} {number}")
        sent = broken(dice, good(dice, key))
        return examined(exchanged(dice, gateway.port, sent), f"seed {seed}, input {number}: {sent[:2_000]!r}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        counts = Counter(status for found in pool.map(statuses_of, range(inputs)) for status in found)
    assert counts["200"] > inputs // 20, "some are good, or the rest is not reached"
    after = peak_kib(api)
    assert after - before <= MAX_GROWN_KIB
    assert api_processes(gateway.supervisor.pid, 1) == [api], "the process is still the same"
    _, log = logged.readouterr()
    assert not (found := faults_in(log)), found
    assert 'code="internal_error"' not in metrics_of(gateway), "an exception that nobody named"
    verified = gateway.command("verify")
    assert verified.returncode == 0, verified.stdout
    took_s = time.monotonic() - began
    return f"seed {seed}: {inputs} inputs in {took_s:.0f} s, peak memory {before:,} -> {after:,} KiB, {dict(counts)}"


def good(dice: random.Random, key: str) -> bytes:
    body: dict[str, object] = {"model": "test/tokens", "max_tokens": 3, "messages": [{"role": "user", "content": "x"}]}
    if dice.random() < 0.3:
        body["stream"] = True
    if dice.random() < 0.4:
        body[dice.choice([*body, "n", "stop", "tools", "response_format"])] = dice.choice(VALUES)
    data = json.dumps(body).encode()
    path = PATHS[0] if dice.random() < 0.6 else dice.choice(PATHS)
    method = "POST" if dice.random() < 0.8 else dice.choice(METHODS)
    fields = ["host: a", "content-type: application/json", f"content-length: {len(data)}"]
    if dice.random() < 0.8:
        fields.append(f"authorization: Bearer {key}")
    return "\r\n".join([f"{method} {path} HTTP/1.1", *fields, "", ""]).encode() + data


def broken(dice: random.Random, request: bytes) -> bytes:
    for _ in range(dice.randint(0, 3)):
        request = dice.choice(DEEDS)(dice, request)
    return request


def insert(dice: random.Random, request: bytes) -> bytes:
    at = dice.randint(0, len(request))
    return request[:at] + dice.choice(BYTES) + request[at:]


def cut_out(dice: random.Random, request: bytes) -> bytes:
    at = dice.randint(0, len(request))
    return request[:at] + request[at + dice.randint(1, 20) :]


def flip(dice: random.Random, request: bytes) -> bytes:
    changed = bytearray(request)
    for _ in range(dice.randint(1, 4)):
        if changed:
            changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def add_field(dice: random.Random, request: bytes) -> bytes:
    line, _, rest = request.partition(b"\r\n")
    return line + b"\r\n" + dice.choice(FIELDS) + b"\r\n" + rest


def chunk(dice: random.Random, request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    size = dice.choice([b"%x" % len(body), b"%x" % (len(body) + 1), b"zz", b"-1", b"F" * 20, b"0" * 30 + b"1"])
    end = dice.choice([b"0\r\n\r\n", b"0\r\nhost: t\r\n\r\n", b"", b"0\r\n" + b"t: " + b"x" * 40_000])
    chunked = size + dice.choice([b"", b";" + b"e" * 100]) + b"\r\n" + body + b"\r\n" + end
    return head.replace(b"content-length", b"x-length") + b"\r\ntransfer-encoding: chunked\r\n\r\n" + chunked


def repeat(dice: random.Random, request: bytes) -> bytes:
    return request * dice.randint(2, 12)


def leave_off(dice: random.Random, request: bytes) -> bytes:
    return request[: dice.randint(0, len(request))]


DEEDS: list[Deed] = [insert, cut_out, flip, add_field, add_field, chunk, repeat, leave_off]


def exchanged(dice: random.Random, port: int, sent: bytes) -> bytes:
    """Sent in pieces; then our side ends, and what comes is read to its end. At times the client just leaves."""
    received = bytearray()
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        cuts = sorted(dice.randint(0, len(sent)) for _ in range(dice.randint(0, 3)))
        for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
            connection.sendall(sent[start:end])
        if dice.random() < 0.1:
            return b""
        connection.shutdown(socket.SHUT_WR)
        while part := connection.recv(READ):
            received += part
    return bytes(received)


def examined(received: bytes, case: str) -> list[str]:
    """The statuses of all answers; each 5xx is one of the error table's with its status."""
    statuses = []
    for part in received.split(b"HTTP/1.1 ")[1:]:
        status = part[:3].decode()
        statuses.append(status)
        if status.startswith("5"):
            code = json.loads(part.partition(b"\r\n\r\n")[2])["error"]
            name = code["metadata"].get("code") if isinstance(code["code"], int) else code["code"]
            assert TABLE[name].status == int(status), case
            assert name != "internal_error", case
    return statuses


def metrics_of(gateway: Gateway) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())
