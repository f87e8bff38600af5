"""P1, P3: whatever happens between us and a provider: the reservation is released or settled, the client is told."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.rigs.faults.fault_proxy import How, Spoiled
from tests.rigs.faults.oracle import settled_books
from tests.rigs.faults.proxied_gateway import Proxied, proxied_gateway
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.installation.log_facts import Facts

SEED = 42
DEADLINE_S = 3
REQUESTS = 16
IN_MID_STREAM = 500
"""Bytes of the provider's reply: its head and a chunk or two; a whole answer that is no stream is shorter."""

IN_ALL_ANSWERS = 150
"""Bytes: behind the head of an answer of either kind, before its first chunk is over."""

FAILED = {(502, "provider_error"), (504, "deadline_exceeded")}
RELEASED, SETTLED = "credit.released.v1", "credit.settled.v1"


@pytest.fixture(scope="module")
def house(server_dsn: str) -> Iterator[Proxied]:
    deadline = str(DEADLINE_S)
    with proxied_gateway(
        server_dsn, SEED, GATEWAYZ_REQUEST_DEADLINE_S=deadline, GATEWAYZ_STREAM_DEADLINE_S=deadline
    ) as started:
        yield started


@pytest.fixture
def ask(house: Proxied, request: pytest.FixtureRequest) -> Callable[[], list[Seen]]:
    """Streams and others in turn, on an account of the test's own."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())[-30:]
    _, key = house.gateway.account_with_key(name, usd="1000")
    markers = [f"{name} {n} takes 0 s" for n in range(REQUESTS)]
    return lambda: asyncio.run(ask_all(house.gateway.port, key, "test/tokens", markers))


@pytest.fixture(autouse=True)
def _healed(house: Proxied) -> Iterator[None]:
    """Afterwards the provider is well again, and no connection of before is left."""
    yield
    house.to_provider.set(spoiled=None, is_refusing=False, delay_s=0.0)
    house.to_provider.resume()
    house.to_provider.cut()


def told(seen: list[Seen]) -> set[tuple[int, str | None]]:
    return {(s.status, s.error_code) for s in seen if not s.whole}


def books(house: Proxied, seen: list[Seen]) -> Facts:
    return settled_books(house.gateway, house.dsn, house.provider, seen)


def ends_of(facts: Facts, before: set[str]) -> set[str]:
    """How the reservations ended that were not there `before`."""
    return {end for reservation in facts.reserved - before for end in facts.ends[reservation]}


def test_p1_a_slow_provider_is_waited_for(house: Proxied, ask: Callable[[], list[Seen]]) -> None:
    house.to_provider.set(delay_s=0.05)
    seen = ask()
    assert all(s.whole for s in seen)
    books(house, seen)


@pytest.mark.parametrize("how", ["cut", "end", "hang"])
def test_p3_a_provider_that_leaves_before_its_answer_begins_costs_nothing(
    house: Proxied, ask: Callable[[], list[Seen]], how: How
) -> None:
    before = books(house, []).reserved
    house.to_provider.set(spoiled=Spoiled(0, how))
    seen = ask()
    assert told(seen) <= FAILED and not any(s.whole for s in seen), told(seen)
    assert ends_of(books(house, seen), before) == {RELEASED}


@pytest.mark.parametrize("how", ["cut", "end", "hang"])
def test_p1_a_provider_that_leaves_in_mid_stream_is_paid_for_what_it_produced(
    house: Proxied, ask: Callable[[], list[Seen]], how: How
) -> None:
    """The error chunk tells the charge, and that is what the log has."""
    house.to_provider.set(spoiled=Spoiled(IN_MID_STREAM, how))
    seen = ask()
    facts = books(house, seen)
    broken = [s for s in seen if s.status == 200 and not s.whole]
    assert broken, "no stream broke off"
    for s in broken:
        reservation = str(s.generation_id).removeprefix("gen-")
        assert reservation in facts.estimated
        assert facts.settled[reservation] == s.paid_nusd


@pytest.mark.parametrize("how", ["cut", "end", "hang"])
def test_p3_half_a_json_answer_is_no_answer(house: Proxied, ask: Callable[[], list[Seen]], how: How) -> None:
    house.to_provider.set(spoiled=Spoiled(IN_ALL_ANSWERS, how))
    seen = ask()
    assert not any(s.whole for s in seen)
    assert told(seen[::2]) <= FAILED
    books(house, seen)


def test_p3_a_provider_that_refuses_connections_costs_nothing(house: Proxied, ask: Callable[[], list[Seen]]) -> None:
    before = books(house, []).reserved
    house.to_provider.set(is_refusing=True)
    house.to_provider.cut()
    seen = ask()
    assert told(seen) == {(502, "provider_error")} and not any(s.whole for s in seen)
    assert ends_of(books(house, seen), before) == {RELEASED}


def test_p3_a_provider_out_of_reach_past_the_deadline_costs_nothing(
    house: Proxied, ask: Callable[[], list[Seen]]
) -> None:
    before = books(house, []).reserved
    house.to_provider.stand_still()
    seen = ask()
    assert told(seen) == {(504, "deadline_exceeded")} and not any(s.whole for s in seen)
    assert ends_of(books(house, seen), before) == {RELEASED}


def test_p1_after_all_that_the_provider_is_used_again(house: Proxied, ask: Callable[[], list[Seen]]) -> None:
    seen = ask()
    assert all(s.whole for s in seen)
    books(house, seen)
