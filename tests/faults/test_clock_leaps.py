"""P2, P3: two processes whose clocks leap by days, forward and back: no stream runs backwards, no credit is conjured.

In process, on the real store: the times are in the commands, and a machine's clock cannot be leapt for one test.
"""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta

from adapters.outbound.postgres.append.ledger import PostgresLedger
from domain.credit.commands import CreditCommand
from domain.credit.decider import CREDIT
from tests.domain.credit_words import NOW, expire, grant, hold, release, settle
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import (
    assert_sound,
    chance,
    code_of,
    credit,
    credit_of,
    log_of,
    lowest_available_nusd,
    processes,
)

ACCOUNTS = ("a", "b")
LEAP_S = 2 * 86_400
REQUESTS = 120
LOT_NUSD = 100
"""For about twenty at once: some are refused, and most are served later."""

REFUSALS = {"", "insufficient_credits", "reservation_not_due", "reservation_not_open"}


class Leaping:
    """Requests of 1 nUSD; each of their commands goes to either process, at a time of its own."""

    def __init__(self, ledgers: list[PostgresLedger], dice: random.Random) -> None:
        self._ledgers = ledgers
        self._dice = dice
        self.settled: Counter[str] = Counter()

    async def request(self, n: int) -> None:
        account, name, amount = self._dice.choice(ACCOUNTS), f"r{n}", self._dice.randint(1, 9)
        if not await self._succeeds(account, hold(name, amount, at=self._now())):
            return
        if self._dice.random() < 0.5:  # the expiry loop of a process whose clock is ahead
            await self._succeeds(account, expire(name, at=self._now()))
        late = hold(name, amount, at=self._now())
        if await self._succeeds(account, settle(name, 1, at=self._now(), late=late)):
            self.settled[account] += 1
        else:
            await self._succeeds(account, release(name, at=self._now()))

    async def _succeeds(self, account: str, command: CreditCommand) -> bool:
        code = await code_of(credit(self._dice.choice(self._ledgers), account, command))
        assert code in REFUSALS, code
        return not code

    def _now(self) -> datetime:
        return NOW + timedelta(seconds=self._dice.randint(-LEAP_S, LEAP_S))


async def test_p2_p3_clocks_that_leap_by_days_turn_no_stream_back_and_conjure_no_credit(database: Database) -> None:
    async with processes(database) as ledgers:
        leaping = Leaping(ledgers, chance("clocks"))
        for account in ACCOUNTS:
            await credit(ledgers[0], account, grant("lot", LOT_NUSD))
        await asyncio.gather(*(leaping.request(n) for n in range(REQUESTS)))
    for account in ACCOUNTS:
        times = [event.at for event in log_of(database, CREDIT.stream(account))]
        assert times == sorted(times)
        assert lowest_available_nusd(database, account) == 0
        assert not credit_of(database, account).reservations
        assert credit_of(database, account).posted_nusd == LOT_NUSD - leaping.settled[account]
    assert leaping.settled.total() > REQUESTS // 4
    assert_sound(database)
