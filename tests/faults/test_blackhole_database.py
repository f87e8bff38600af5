"""P1, P3: PostgreSQL is out of reach of a running gateway: bounded waits, clear 503s, recovery without a restart."""

from collections.abc import Iterator

import pytest

from tests.rigs.faults.oracle import settled_books
from tests.rigs.faults.outage import asks_in_vain, survive
from tests.rigs.faults.proxied_gateway import Proxied, proxied_gateway

SEED = 41
RESERVE_PATIENCE_S = 1.5


@pytest.fixture(scope="module")
def house(server_dsn: str) -> Iterator[Proxied]:
    patience = str(RESERVE_PATIENCE_S)
    with proxied_gateway(
        server_dsn, SEED, GATEWAYZ_RESERVE_PATIENCE_S=patience, GATEWAYZ_APPEND_TIMEOUT_S="2"
    ) as started:
        yield started


def test_p1_a_standstill_of_five_seconds_is_told_as_503(house: Proxied) -> None:
    survive(house, "standstill", house.to_database.stand_still, house.to_database.resume)


def test_p1_a_database_that_refuses_connections_for_five_seconds_is_told_as_503(house: Proxied) -> None:
    def leave() -> None:
        house.to_database.set(is_refusing=True)
        house.to_database.cut()

    survive(house, "refused", leave, lambda: house.to_database.set(is_refusing=False))


def test_p1_a_slow_network_to_the_database_slows_and_nothing_else(house: Proxied) -> None:
    house.to_database.set(delay_s=0.05)
    try:
        assert asks_in_vain(house, "slow") == 0
    finally:
        house.to_database.set(delay_s=0.0)
    settled_books(house.gateway, house.dsn, house.provider, [])
