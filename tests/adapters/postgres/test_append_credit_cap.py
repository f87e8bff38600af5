"""P2: credit is a hard cap on any number of processes; whoever is affordable is served."""

import asyncio
from collections import Counter

from adapters.outbound.postgres.append.ledger import PostgresLedger
from application.ports.ledger import Waiting
from tests.domain.credit_words import grant, hold, release, settle
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import (
    chance,
    code_of,
    credit,
    credit_of,
    lowest_available_nusd,
    processes,
    tags_of,
)


async def test_credit_for_exactly_k_serves_exactly_k(database: Database) -> None:
    async with processes(database) as ledgers:
        await credit(ledgers[0], "hot", grant("lot", 70))
        codes = await asyncio.gather(
            *(
                code_of(credit(ledgers[n % 2], "hot", hold(f"r{n}", 1), waiting=Waiting(sheddable=True)))
                for n in range(200)
            )
        )
    assert Counter(codes) == {"": 70, "insufficient_credits": 130}
    assert credit_of(database, "hot").available_nusd(credit_of(database, "hot").at) == 0
    assert lowest_available_nusd(database, "hot") == 0


async def test_one_at_a_time_on_each_of_four_processes_serves_exactly_k(database: Database) -> None:
    """Batches of one command: every append of one process makes the others' states stale."""

    async def reserve(ledger: PostgresLedger, name: str) -> list[str]:
        return [await code_of(credit(ledger, "hot", hold(f"{name}-{n}", 1))) for n in range(15)]

    async with processes(database, 4) as ledgers:
        await credit(ledgers[0], "hot", grant("lot", 41))
        codes = await asyncio.gather(*(reserve(ledger, str(i)) for i, ledger in enumerate(ledgers)))
    assert Counter(code for each in codes for code in each) == {"": 41, "insufficient_credits": 19}


async def test_reserve_settle_and_release_at_random_never_overspend(database: Database) -> None:
    random = chance("mixed")
    lots, size, settled = 60, 5, Counter[str]()

    async def request(ledger: PostgresLedger, other: PostgresLedger, name: str) -> None:
        """Reserve; end on either process. The account holds 300 nUSD in all; each request wants 5."""
        code = await code_of(credit(ledger, "hot", hold(name, size), waiting=Waiting(sheddable=True)))
        settled[code] += 1
        if code:
            return
        if random.random() < 0.3:
            assert await code_of(credit(other, "hot", release(name))) == ""
        else:
            assert await code_of(credit(other, "hot", settle(name, random.randint(0, size)))) == ""

    async with processes(database) as ledgers:
        await asyncio.gather(*(credit(ledgers[n % 2], "hot", grant(f"lot{n}", 5)) for n in range(lots)))
        await asyncio.gather(*(request(ledgers[n % 2], ledgers[random.randint(0, 1)], f"r{n}") for n in range(250)))
    state = credit_of(database, "hot")
    assert lowest_available_nusd(database, "hot") >= 0
    assert not state.reservations and state.held_nusd == 0
    assert settled[""] >= lots  # every nano-dollar that was there was offered
    assert Counter(tags_of(database, "credit-hot"))["credit.reserved.v2"] == settled[""]
    assert settled["insufficient_credits"] == 250 - settled[""]


async def test_a_stale_stream_fails_nobody_else_in_its_batch(database: Database) -> None:
    """The cache of `one` is behind on `hot` only; its whole batch comes through, in one append but for `hot`."""
    appends: list[int] = []
    async with processes(database, 2) as (one, other):
        for account in ("hot", *"abcdefghij"):
            await credit(one, account, grant("lot", 10))
        await credit(other, "hot", hold("taken", 10))
        one._commits._on_append = lambda commands, seconds: appends.append(commands)
        codes = await asyncio.gather(
            *(code_of(credit(one, account, hold("r", 10))) for account in ("a", "hot", *"bcdefghij"))
        )
    assert codes == ["", "insufficient_credits", *[""] * 9]
    assert appends == [11, 1]
