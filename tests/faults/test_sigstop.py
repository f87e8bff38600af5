"""P1, P3: an API process stands still until its reservations have expired, then goes on with answers in hand."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from tests.rigs.faults.oracle import settled_books
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.installation.installation import eventually
from tests.rigs.installation.log_facts import Facts, read_facts
from tests.rigs.postgres.ledgers import by_hand
from tests.rigs.processes import api_processes
from tests.rigs.providers.provider_process import ProviderProcess, own_provider
from tests.rigs.running import Gateway, gateway

SEED = 31
DEADLINE_S, GRACE_S = 5, 1
TAKES_S = 3
"""Of the provider: long enough for all to be reserved before the first is answered."""

REQUESTS = 24
ROUNDS = 2
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%ledger.append(%'"


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderProcess]:
    print(f"seed {SEED}")
    with own_provider(SEED) as started:
        yield started


@contextmanager
def running(provider: ProviderProcess, workers: int) -> Iterator[Gateway]:
    with gateway(
        provider.url,
        workers=workers,
        GATEWAYZ_REQUEST_DEADLINE_S=str(DEADLINE_S),
        GATEWAYZ_STREAM_DEADLINE_S=str(DEADLINE_S),
        GATEWAYZ_RESERVATION_GRACE_S=str(GRACE_S),
    ) as started:
        yield started


def asking(pool: ThreadPoolExecutor, house: Gateway, key: str, markers: list[str]) -> "Future[list[Seen]]":
    return pool.submit(lambda: asyncio.run(ask_all(house.port, key, "test/tokens", markers)))


def expired(facts: Facts) -> int:
    return sum("credit.reservation_expired.v1" in ends for ends in facts.ends.values())


def have_ended(house: Gateway, reservations: set[str]) -> bool:
    return reservations <= read_facts(house.dsn()).ends.keys()


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_p1_p3_a_settle_that_waited_until_its_reservation_had_expired_reserves_anew(provider: ProviderProcess) -> None:
    """Answers are in the process, their settles in its queue behind an append that waits: there it is stopped."""
    with running(provider, workers=1) as house, ThreadPoolExecutor(1) as pool:
        _, key = house.account_with_key("late", usd="1000")
        (api,) = api_processes(house.supervisor.pid, 1)
        asked = asking(pool, house, key, [f"late {n} takes {TAKES_S + n / 100} s" for n in range(REQUESTS)])
        eventually(lambda: len(read_facts(house.dsn()).reserved) == REQUESTS)
        with by_hand(house.dsn()) as holder:
            holder.execute("SELECT FROM ledger.head FOR UPDATE")
            eventually(lambda: provider.inside() == 0)
            eventually(lambda: holder.execute(WAITING).fetchone() == (1,))
            with stopped(api):
                holder.rollback()
                open_now = read_facts(house.dsn()).reserved
                eventually(partial(have_ended, house, open_now), within_s=60, every_s=0.3)
        seen = asked.result()
        eventually(lambda: read_facts(house.dsn()).replaced, every_s=0.3)  # else nothing was late, nothing is proven
        settled_books(house, house.dsn(), provider, seen)
        told = {(s.status, s.error_code) for s in seen if not s.whole}
        assert told <= {(200, None), (503, "settlement_pending")}, told


def test_p1_p3_a_process_that_stood_still_at_any_moment_answers_nothing_unbilled(provider: ProviderProcess) -> None:
    """Two API processes under load; one is stopped at random moments, its clients wait, the other serves on."""
    dice = random.Random(SEED)
    with running(provider, workers=2) as house, ThreadPoolExecutor(1) as pool:
        _, key = house.account_with_key("still", usd="1000")
        seen: list[Seen] = []
        for n in range(ROUNDS):
            takes = ("", " takes 0.3 s")  # some are answered at any moment, others are under way in either process
            asked = asking(pool, house, key, [f"still {n} {i}{takes[i // 2 % 2]}" for i in range(4 * REQUESTS)])
            eventually(lambda: provider.inside() >= REQUESTS)
            time.sleep(dice.uniform(0, 0.05))
            with stopped(dice.choice(api_processes(house.supervisor.pid, 2))):
                open_now = read_facts(house.dsn()).reserved
                eventually(partial(have_ended, house, open_now), within_s=60, every_s=0.3)
            seen += asked.result()
        assert sum(s.whole for s in seen) >= REQUESTS * ROUNDS, "the other process served on"
        facts = settled_books(house, house.dsn(), provider, seen)
        assert expired(facts), "no reservation expired in a stopped process: nothing is proven"
        unclean = [s for s in seen if not s.whole and s.status == 0]
        assert not unclean, unclean[:3]
