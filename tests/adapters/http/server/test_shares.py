"""What one account, one address and all strangers together may take."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest

from adapters.inbound.http.edge import shares
from adapters.inbound.http.edge.addresses import Addresses, read_networks
from adapters.inbound.http.edge.failed_tries import MAX_ADDRESSES, FailedTries
from adapters.inbound.http.edge.shares import AccountShares
from adapters.inbound.http.edge.strangers import GAP_S, Strangers
from domain.credit.events import Reserved
from domain.errors import DomainError
from tests.adapters.http.conftest import speaker
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import ADMIN_KEY, MODEL, House
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import Stop, whole_answer

CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
UNKNOWN = "gw_live_" + "A" * 43


def with_shares(house: House, **shares: Any) -> House:
    house.gateway = msgspec.structs.replace(house.gateway, **shares)
    return house


def test_an_account_has_no_more_generations_under_way_than_its_share(served: Served, house: House) -> None:
    served.app = with_shares(house, accounts=AccountShares(2)).app
    stop = house.providers.answers[MODEL] = Stop()
    with ThreadPoolExecutor(3) as pool, speaker(served, house.key) as client:
        first = [pool.submit(client.post, "/v1/chat/completions", json=CHAT) for _ in range(2)]
        eventually(lambda: len(house.providers.calls) == 2)
        refused = client.post("/v1/chat/completions", json=CHAT)
        stop.may_go_on = True
        assert {one.result().status_code for one in first} == {200}
        again = client.post("/v1/chat/completions", json=CHAT)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "concurrency_limit")
    assert refused.headers["retry-after"] == "1"
    assert len(house.happened(Reserved)) == 3, "the refused one reserved nothing"
    assert again.status_code == 200, "a place is free again when a generation ends"


def test_an_account_makes_no_more_keys_an_hour_than_its_share(
    served: Served, house: House, manager: httpx.Client
) -> None:
    now = [0.0]
    served.app = with_shares(house, accounts=AccountShares(0, 3, now_s=lambda: now[0])).app
    made = manager.post("/v1/keys", json={"name": "1"})
    assert manager.post("/v1/keys", json={"name": "1"}).json()["error"]["code"] == "claim_taken"  # does not count
    assert manager.post(f"/v1/keys/{made.json()['data']['hash']}/rotate").status_code == 200
    now[0] = 60.0
    assert manager.post("/v1/keys", json={"name": "2"}).status_code == 201
    recorded = len(house.ledger.log)
    for path in ("/v1/keys", f"/v1/keys/{made.json()['data']['hash']}/rotate"):
        refused = manager.post(path, json={"name": "3"} if path == "/v1/keys" else {})
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_new_keys")
        assert refused.headers["retry-after"] == "3540"
    assert len(house.ledger.log) == recorded
    now[0] = 3_600.0
    assert manager.post("/v1/keys", json={"name": "3"}).status_code == 201


def test_no_more_accounts_are_remembered_for_their_keys_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "MAX_ACCOUNTS", 2)
    remembered = AccountShares(0, 1)
    for account_id in ("a", "b", "c"):
        with remembered.new_key(account_id):
            pass
    with pytest.raises(DomainError, match="too_many_new_keys"), remembered.new_key("c"):
        pass
    with remembered.new_key("a"):
        pass


def test_an_address_may_try_so_many_unknown_keys_a_minute(served: Served, house: House) -> None:
    served.app = with_shares(house, tries=FailedTries(3)).app
    for garbage in (UNKNOWN, "zzz"):
        with speaker(served, garbage) as client:
            codes = [client.get(path).status_code for path in ("/v1/key", "/v1/keys", "/admin/accounts/x")]
            assert codes == ([401] * 3 if garbage == UNKNOWN else [429] * 3)
    with speaker(served, UNKNOWN) as client:
        refused = client.get("/v1/key")
    assert refused.json()["error"]["code"] == "too_many_failed_keys"
    assert 1 <= int(refused.headers["retry-after"]) <= 60


def test_a_known_key_is_served_whatever_its_address_has_tried(served: Served, house: House) -> None:
    served.app = with_shares(house, tries=FailedTries(3)).app
    house.providers.answers[MODEL] = whole_answer()
    with speaker(served, UNKNOWN) as client:
        assert [client.get("/v1/key").status_code for _ in range(5)][-1] == 429
    with speaker(served, house.key) as customer, speaker(served, ADMIN_KEY) as admin:
        assert customer.get("/v1/key").status_code == 200
        assert customer.post("/v1/chat/completions", json=CHAT).status_code == 200
        assert admin.get(f"/admin/accounts/{house.account_id}").status_code == 200


def test_a_share_of_tries_is_new_after_a_minute_and_0_is_no_limit() -> None:
    now = [0.0]
    tries = FailedTries(2, lambda: now[0])
    for _ in range(2):
        tries.note("a")
    with pytest.raises(DomainError, match="too_many_failed_keys"):
        tries.note("a")
    tries.note("b")
    now[0] = 61.0
    tries.note("a")
    off = FailedTries(0)
    for _ in range(100):
        off.note("a")


def test_no_more_addresses_are_remembered_than_the_bound() -> None:
    tries = FailedTries(2)
    for number in range(MAX_ADDRESSES + 50):
        tries.note(str(number))
    assert len(tries._failed) == MAX_ADDRESSES


def test_behind_a_trusted_proxy_each_client_is_an_address(served: Served, house: House) -> None:
    strangers = Strangers(Addresses(read_networks("127.0.0.0/8")))
    served.app = with_shares(house, tries=FailedTries(1), strangers=strangers).app
    with speaker(served, UNKNOWN) as client:
        for address, status in (("192.0.2.1", 401), ("192.0.2.1", 429), ("192.0.2.2", 401)):
            assert client.get("/v1/key", headers={"x-forwarded-for": address}).status_code == status


def test_strangers_wait_while_a_customer_is_served_and_take_turns_by_address(served: Served, house: House) -> None:
    """A flood on public routes beside one generation: all are answered, a prober of another address soon."""
    strangers = Strangers(Addresses(read_networks("127.0.0.0/8")))
    served.app = with_shares(house, strangers=strangers).app
    stop = house.providers.answers[MODEL] = Stop()
    ended = threading.Event()

    def flood(number: int) -> int:
        answered = 0
        with httpx.Client(base_url=served.url, headers={"x-forwarded-for": "192.0.2.1"}, timeout=30) as client:
            while not ended.is_set():
                assert client.get("/health").status_code == 200
                answered += 1
        return answered

    with ThreadPoolExecutor(20) as pool, speaker(served, house.key) as customer:
        generation = pool.submit(customer.post, "/v1/chat/completions", json=CHAT)
        eventually(lambda: house.providers.calls)
        began_s = time.monotonic()
        floods = [pool.submit(flood, number) for number in range(8)]
        with httpx.Client(base_url=served.url, headers={"x-forwarded-for": "192.0.2.9"}) as prober:
            for _ in range(10):
                assert prober.get("/health").status_code == 200
        ended.set()
        answered = sum(one.result() for one in floods)
        took_s = time.monotonic() - began_s
        stop.may_go_on = True
        assert generation.result().status_code == 200
    assert answered <= took_s / 0.002 + 20, "no more than one in two milliseconds"


async def test_one_stranger_goes_in_two_milliseconds_while_a_customer_is_served() -> None:
    busy = [True]
    strangers = Strangers(Addresses(), lambda: busy[0])
    took_s = []
    for busy[0] in (True, False):
        began_s = time.monotonic()
        await asyncio.gather(*(strangers.turn({"path": "/", "client": ("192.0.2.1", 1)}) for _ in range(101)))
        took_s.append(time.monotonic() - began_s)
    assert took_s[0] >= 100 * GAP_S * 0.9
    assert took_s[1] < took_s[0]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models?unlisted=true", "/openapi.json"])
def test_what_is_the_same_for_everybody_is_sent_once(stranger: httpx.Client, path: str) -> None:
    whole = stranger.get(path)
    tag = whole.headers["etag"]
    assert whole.headers["cache-control"] == "no-cache"
    for has in (tag, f'"other", W/{tag}', "*"):
        answer = stranger.get(path, headers={"if-none-match": has})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert stranger.get(path, headers={"if-none-match": '"other"'}).content == whole.content


def test_metrics_are_made_once_for_all_who_ask_at_a_time(served: Served, house: House) -> None:
    made: list[int] = []

    def metrics() -> tuple[bytes, str]:
        made.append(1)
        return b"# text\n", "text/plain"

    served.app = with_shares(house, metrics=metrics).app
    with httpx.Client(base_url=served.url) as client:
        began_s, before = time.monotonic(), len(made)
        for _ in range(40):
            assert client.get("/metrics").text == "# text\n"
    assert len(made) - before <= 2 + (time.monotonic() - began_s) / 0.25


def test_a_full_share_of_a_provider_is_ours_and_tries_no_other(served: Served, house: House) -> None:
    house.providers.answers[MODEL] = DomainError("overloaded")
    with speaker(served, house.key) as client:
        answer = client.post("/v1/chat/completions", json=CHAT)
    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (503, "overloaded")
    assert len(house.providers.calls) == 1
    assert not house.credit.reservations
