"""P1, P2: two API processes on one hot account: no deadlock, nobody refused who can pay, the log is what was served."""

from tests.rigs.faults.hot_account import exhaust_one_account

SEED = 71
REQUESTS = 10_000


def test_p2_ten_thousand_requests_of_one_account_on_two_processes_are_all_served_and_charged() -> None:
    exhaust_one_account(SEED, REQUESTS)
