"""Each route of the OpenAPI document x each caller x each body: as documented, and the key before a byte of a body."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from starlette.types import Message, Receive, Scope, Send

from adapters.inbound.http.callers import MAX_BODY_BYTES
from adapters.inbound.http.gateway import Limits
from adapters.inbound.http.routes.api import Api
from tests.adapters.http.house import ADMIN_KEY, House, done
from tests.adapters.http.raw import answer_of, everything, head
from tests.adapters.http.served import Served

CHAT_BODY_BYTES = 2 * 2**20

BODIES = {"none": b"", "broken": b'{"name": ', "1 MB over": b"{"}
"""What is sent; of the last, the rest never comes."""

NO_KEY = {"no key", "garbage", "unknown", "revoked", "expired", "disabled"}


class Route(NamedTuple):
    method: str
    path: str
    key: str

    @property
    def takes_body(self) -> bool:
        return self.method in ("POST", "PATCH")

    @property
    def limit_bytes(self) -> int:
        return CHAT_BODY_BYTES if self.path == "/v1/chat/completions" else MAX_BODY_BYTES


class Watched:
    """An application, and whether it asked for the last request's body."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.asked_for_body = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked_for_body = False

        async def watched() -> Message:
            self.asked_for_body = True
            return await receive()

        await self._app(scope, watched, send)


@pytest.fixture(scope="module")
def crowd(served: Served) -> tuple[House, dict[str, str]]:
    house = House(limits=Limits(body_bytes=CHAT_BODY_BYTES))
    return house, callers_of(house)


def test_every_route_for_every_caller_and_every_body(served: Served, crowd: tuple[House, dict[str, str]]) -> None:
    house, callers = crowd
    served.app = watched = Watched(house.app)
    tried = 0
    for route in routes_of(house):
        for caller, secret in callers.items():
            for body, sent in BODIES.items():
                length = route.limit_bytes + 2**20 if body == "1 MB over" else len(sent)
                status, code = asked(served, route, secret, sent, length)
                case = f"{route.method} {route.path}, {caller}, body {body}: {status} {code}"
                assert status in expected(route, caller, body), case
                if route.key and status in (401, 403) and code != "management_key":
                    assert not watched.asked_for_body, case
                tried += 1
    assert tried == len(list(routes_of(house))) * len(callers) * len(BODIES) > 600


def expected(route: Route, caller: str, body: str) -> set[int]:
    if not route.key:
        return {200}
    refused = refused_for_the_key(route, caller)
    if refused:
        return {refused}
    if not route.takes_body:
        return {200, 404, 400}  # ids of nothing; a query that is missing
    if body == "none" and route.path.endswith("/rotate"):
        return {404}
    return {413} if body == "1 MB over" else {400}


def refused_for_the_key(route: Route, caller: str) -> int | None:
    if caller in NO_KEY or (route.key == "api_key" and caller == "admin"):
        return 401
    changes_keys = route.path.startswith("/v1/keys") and route.method != "GET"
    is_wrong = (route.key == "admin_key" and caller != "admin") or (changes_keys and caller != "management")
    return 403 if caller == "suspended" or is_wrong else None


def asked(served: Served, route: Route, secret: str, sent: bytes, length: int) -> tuple[int, str]:
    fields = ["content-type: application/json", f"content-length: {length}"]
    if secret:
        fields.append(f"authorization: Bearer {secret}")
    path = route.path.format(hash="nothing", account_id="nothing", key_id="nothing", model="m")
    with served.connect() as connection:
        connection.sendall(head(route.method, path, *fields) + sent)
        answer = answer_of(everything(connection))
    is_refusal = answer.body.startswith(b'{"error"')
    return answer.status, answer.body.partition(b'"code":"')[2].partition(b'"')[0].decode() if is_refusal else ""


def routes_of(house: House) -> Iterator[Route]:
    api = house.app._api
    assert isinstance(api, Api)
    for path, operations in api.openapi()["paths"].items():
        for method, operation in operations.items():
            keys = [next(iter(scheme)) for scheme in operation.get("security", [])]
            yield Route(method.upper(), path, keys[0] if keys else "")


def callers_of(house: House) -> dict[str, str]:
    """Every kind of caller by a name, with the key that is sent."""
    revoked = house.issue("revoked")
    done(house.gateway.use_cases.revoke_key(house.account_id, revoked.key_id))
    disabled = house.issue("disabled")
    house.change_key(disabled.key_id, disabled=True)
    expired = house.new_key("expired", expires_at=house.clock.now() + timedelta(seconds=0.2))
    time.sleep(0.3)
    callers = {
        "no key": "",
        "garbage": "zzz",
        "unknown": "gw_live_" + "A" * 43,
        "inference": house.key,
        "management": house.new_key("management", kind="management"),
        "revoked": revoked.secret,
        "disabled": disabled.secret,
        "expired": expired,
        "admin": ADMIN_KEY,
    }
    mine = house.account_id
    for name, username in (("other account", "bob"), ("suspended", "eve")):
        house.account_id = house.open_account(username)
        callers[name] = house.new_key(name)
    house.suspend()
    house.account_id = mine
    return callers
