"""P1, P5: the whole gateway on a line that breaks just after or just before a commit: no client notices.

The store alone, 200 times each: test_append_lost_reply.py; this one 200 times: tests/soak.
"""

from collections.abc import Iterator

import pytest

from tests.rigs.faults.lost_replies import lose_replies, lose_statements
from tests.rigs.faults.proxied_gateway import Proxied, proxied_gateway

SEED = 21
CUTS = 20


@pytest.fixture(scope="module")
def house(server_dsn: str) -> Iterator[Proxied]:
    with proxied_gateway(server_dsn, SEED) as started:
        yield started


@pytest.fixture(scope="module")
def key(house: Proxied) -> str:
    return house.gateway.account_with_key("lost", usd="1000")[1]


def test_p5_a_commit_whose_reply_is_lost_fails_nobody_and_charges_once(house: Proxied, key: str) -> None:
    lose_replies(house, key, CUTS)


def test_p5_a_statement_that_never_arrives_fails_nobody_and_charges_once(house: Proxied, key: str) -> None:
    lose_statements(house, key, CUTS)
