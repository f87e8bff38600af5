"""P2, P3: two processes whose clocks leap by days, forward and back: no stream runs backwards, no credit is conjured.

In process, on the real store: the times are in the commands, and a machine's clock cannot be leapt for one test.
"""

import asyncio
from datetime import timedelta

from application.command_ids import named_id
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from tests.adapters.postgres.ledgers import (
    assert_sound,
    chance,
    credit,
    credit_of,
    log_of,
    lowest_available_nusd,
    processes,
)
from tests.databases import Database
from tests.domain.credit_words import NOW, expire, grant, hold, release, settle

ACCOUNTS = ("a", "b")
LEAP_S = 2 * 86_400
REQUESTS = 120
LOT_NUSD = 100
"""For about twenty at once: some are refused, and most are served later."""

REFUSALS = {"insufficient_credits", "reservation_not_due", "reservation_not_open"}


async def test_p2_p3_clocks_that_leap_by_days_turn_no_stream_back_and_conjure_no_credit(database: Database) -> None:
    dice = chance("clocks")
    settled_nusd = dict.fromkeys(ACCOUNTS, 0)

    def now():
        return NOW + timedelta(seconds=dice.randint(-LEAP_S, LEAP_S))

    async with processes(database) as ledgers:

        async def perhaps(account, command):
            try:
                return await credit(dice.choice(ledgers), account, command)
            except DomainError as refusal:
                if refusal.code not in REFUSALS:
                    raise
                return None

        async def request(n: int) -> None:
            account, name, amount = dice.choice(ACCOUNTS), f"r{n}", dice.randint(1, 9)
            if await perhaps(account, hold(name, amount, at=now())) is None:
                return
            if dice.random() < 0.5:  # the expiry loop of a process whose clock is ahead
                await perhaps(account, expire(name, at=now()))
            late = hold(str(named_id("late", name)), amount, at=now())
            if await perhaps(account, settle(name, 1, at=now(), late=late)) is not None:
                settled_nusd[account] += 1
            else:
                await perhaps(account, release(name, at=now()))

        for account in ACCOUNTS:
            await credit(ledgers[0], account, grant("lot", LOT_NUSD))
        await asyncio.gather(*(request(n) for n in range(REQUESTS)))
    for account in ACCOUNTS:
        times = [event.at for event in log_of(database, CREDIT.stream(account))]
        assert times == sorted(times)
        assert lowest_available_nusd(database, account) == 0
        assert not credit_of(database, account).reservations
        assert credit_of(database, account).posted_nusd == LOT_NUSD - settled_nusd[account]
    assert sum(settled_nusd.values()) > REQUESTS // 4
    assert_sound(database)
