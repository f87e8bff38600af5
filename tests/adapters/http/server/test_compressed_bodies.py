"""A compressed body is decoded within the limits, or refused by the name of its encoding."""

import gzip
import json
import zlib

import httpx
import pytest

from adapters.inbound.http.gateway import Limits
from tests.adapters.http.conftest import speaker
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import whole_answer

PATH = "/v1/chat/completions"
BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "x" * 900}], "max_tokens": 9}).encode()


def bare_deflate(body: bytes) -> bytes:
    compressing = zlib.compressobj(wbits=-15)
    return compressing.compress(body) + compressing.flush()


ENCODED = [
    ("gzip", gzip.compress(BODY, mtime=0)),
    ("X-Gzip", gzip.compress(BODY, mtime=0)),
    ("deflate", zlib.compress(BODY)),
    ("deflate", bare_deflate(BODY)),
    ("identity", BODY),
]


def post(client: httpx.Client, body: bytes, encoding: str, **headers: str) -> httpx.Response:
    told = {"content-type": "application/json", "content-encoding": encoding, **headers}
    return client.post(PATH, content=body, headers=told)


@pytest.mark.parametrize(("encoding", "sent"), ENCODED)
def test_it_is_the_same_request(house: House, http: httpx.Client, encoding: str, sent: bytes) -> None:
    house.providers.answers[MODEL] = whole_answer()
    assert post(http, sent, encoding).status_code == 200
    assert {name: bytes(value) for name, value in house.providers.calls[0].members}["max_tokens"] == b"9"
    eventually(lambda: house.gateway.bodies.held_bytes == 0)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x\ty"])
def test_another_encoding_is_415_by_its_name(house: House, http: httpx.Client, encoding: str) -> None:
    answer = post(http, b"\x00", encoding)
    assert (answer.status_code, error_of(answer.content)["code"]) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "gzip, deflate"
    if encoding in ("br", "zstd"):
        assert f" {encoding} " in error_of(answer.content)["message"]


BROKEN = [
    ("gzip", BODY),
    ("gzip", gzip.compress(BODY, mtime=0)[:-9]),
    ("gzip", gzip.compress(BODY, mtime=0) + gzip.compress(BODY, mtime=0)),
    ("gzip", gzip.compress(BODY, mtime=0) + b"\x00" * 100_000),
    ("gzip", b""),
    ("deflate", zlib.compress(BODY)[:-5]),
    ("deflate", b"\xff" * 100),
]


@pytest.mark.parametrize(("encoding", "sent"), BROKEN)
def test_what_is_not_one_whole_stream_is_400(house: House, http: httpx.Client, encoding: str, sent: bytes) -> None:
    answer = post(http, sent, encoding)
    assert answer.status_code == 400
    assert error_of(answer.content)["code"] in ("invalid_request", "invalid_json")


def test_a_bomb_ends_at_the_limit(served: Served) -> None:
    house = House(limits=Limits(body_bytes=1_000_000))
    served.app = house.app
    bomb = gzip.compress(b" " * 200_000_000, 9)
    assert len(bomb) < 300_000
    with speaker(served, house.key) as client:
        answer = post(client, bomb, "gzip")
    assert (answer.status_code, error_of(answer.content)["code"]) == (413, "body_too_large")
    eventually(lambda: house.gateway.bodies.held_bytes == 0)


def test_without_credit_it_is_the_decoded_size_that_counts(house: House, http: httpx.Client) -> None:
    house.hold_all_but("0")
    answer = post(http, gzip.compress(b" " * 100_000), "gzip")
    assert (answer.status_code, error_of(answer.content)["code"]) == (402, "body_needs_credit")


def test_the_hash_behind_an_idempotency_key_is_of_what_was_meant(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    sent = [post(http, body, encoding, **{"idempotency-key": "once"}) for encoding, body in ENCODED]
    assert [answer.status_code for answer in sent] == [200] * len(ENCODED)
    assert len({answer.content for answer in sent}) == 1
    assert len(house.providers.calls) == 1


def test_a_byte_order_mark_is_dropped(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    assert post(http, b"\xef\xbb\xbf" + BODY, "identity").status_code == 200
    assert post(http, gzip.compress(b"\xef\xbb\xbf" + BODY), "gzip").status_code == 200
