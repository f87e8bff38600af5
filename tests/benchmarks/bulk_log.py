"""A long, honest log made fast: requests decided by the real deciders, appended in large batches through the ledger."""

import asyncio
from uuid import uuid4

import uvloop

from adapters.outbound.postgres.ledger import PostgresLedger
from tests.benchmarks.bench_append import grant, reserve_and_settle

IN_FLIGHT = 1_000
"""Requests under way at once: appends of hundreds of commands, which is how a log grows fastest."""


def make_log(info: str, events: int, accounts: int) -> None:
    """About `events` events: one grant per account, then reserve and settle in turn over all of them."""
    uvloop.run(_make_log(info, events, [str(uuid4()) for _ in range(accounts)]))


async def _make_log(info: str, events: int, accounts: list[str]) -> None:
    ledger = PostgresLedger(info)
    running = asyncio.create_task(ledger.run())
    await asyncio.gather(*(grant(ledger, account) for account in accounts))
    requests = (events - len(accounts)) // 2

    async def client(first: int) -> None:
        for n in range(first, requests, IN_FLIGHT):
            await reserve_and_settle(ledger, accounts[n % len(accounts)])

    await asyncio.gather(*(client(n) for n in range(IN_FLIGHT)))
    await ledger.close()
    await running
