"""P2, P4: a running gateway whose database is restored from a backup: it goes on from what the log has now.

What was charged after the backup is gone with it; no gateway can know better. But nothing that a process remembers of
the lost time is used: neither a balance nor a key.
"""

import asyncio
import time

import pytest

from tests.rigs.faults.proxied_gateway import Proxied, proxied_gateway
from tests.rigs.faults.restore import backup_of
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.installation.installation import eventually
from tests.rigs.installation.log_facts import read_facts

SEED = 81
AFFORDABLE = 5
PRICE_USD = 0.01
ROUNDS = 12
"""Over more than a second: by then every process has the key in memory."""


def ask(house: Proxied, key: str, name: str, count: int) -> list[Seen]:
    markers = [f"{name} {n} takes 0 s" for n in range(count)]
    return asyncio.run(ask_all(house.gateway.port, key, "test/per-request", markers))


def leave(house: Proxied) -> None:
    house.to_database.set(is_refusing=True)
    house.to_database.cut()


def come_back(house: Proxied, key: str) -> None:
    """Until requests are served or refused for what the ledger says, not for its absence."""
    house.to_database.set(is_refusing=False)
    eventually(lambda: ask(house, key, "probe", 1)[0].status in (200, 401, 402))


@pytest.mark.parametrize("workers", [1, 2])
def test_p2_after_a_restore_credit_and_keys_are_what_the_log_has_now(server_dsn: str, workers: int) -> None:
    with proxied_gateway(server_dsn, SEED, workers) as house:
        account, key = house.gateway.account_with_key("restored", usd=str(AFFORDABLE * PRICE_USD))
        leave(house)
        with backup_of(house.dsn, server_dsn) as restore:
            house.to_database.set(is_refusing=False)
            eventually(lambda: all(s.whole for s in ask(house, key, "lost", 1)))
            _, lost_key = house.gateway.account_with_key("lost")
            for n in range(ROUNDS):
                assert all(s.whole for s in ask(house, lost_key, f"of a lost key {n}", 4))
                time.sleep(0.1)
            leave(house)
            restore()
        come_back(house, lost_key)
        eventually(
            lambda: {s.status for s in ask(house, lost_key, "nobody", 8)} == {401}
        )  # within a second of its loss
        seen = ask(house, key, "again", 4 * AFFORDABLE)
        assert sum(s.whole for s in seen) == AFFORDABLE, [s for s in seen if s.status not in (200, 402)]
        facts = read_facts(house.dsn)
        assert len(facts.settled) == AFFORDABLE
        assert facts.lowest_available[f"credit-{account}"] == 0
        verified = house.gateway.command("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
