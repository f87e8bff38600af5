"""P1, P2: a hundred thousand requests of one account on two API processes."""

from tests.rigs.faults.hot_account import exhaust_one_account

SEED = 72
REQUESTS = 100_000


def test_p2_a_hundred_thousand_requests_of_one_account_are_all_served_and_charged() -> None:
    exhaust_one_account(SEED, REQUESTS)
