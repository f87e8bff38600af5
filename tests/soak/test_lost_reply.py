"""P1, P5: 200 lost COMMIT replies and 200 lost statements through the whole gateway."""

from tests.rigs.faults.lost_replies import lose_replies, lose_statements
from tests.rigs.faults.proxied_gateway import proxied_gateway

SEED = 22
CUTS = 200


def test_p5_two_hundred_lost_commit_replies_fail_nobody_and_charge_once(server_dsn: str) -> None:
    with proxied_gateway(server_dsn, SEED) as house:
        _, key = house.gateway.account_with_key("lost", usd="1000")
        lose_replies(house, key, CUTS)


def test_p5_two_hundred_lost_statements_fail_nobody_and_charge_once(server_dsn: str) -> None:
    with proxied_gateway(server_dsn, SEED) as house:
        _, key = house.gateway.account_with_key("lost", usd="1000")
        lose_statements(house, key, CUTS)
