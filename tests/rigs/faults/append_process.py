"""A process that writes to one ledger until it is killed, and says on its standard output what was acknowledged.

Usage: append_process.py DSN NAME ACCOUNT...
Each line is one result that a caller has received: command id, position, nUSD that its settle took.
"""

import asyncio
import itertools
import os
import sys
from uuid import UUID

from adapters.outbound.postgres.append.ledger import PostgresLedger
from domain.command_ids import named_id
from domain.credit.decider import CREDIT
from tests.domain.credit_words import hold, settle

CALLERS = 6


async def request(ledger: PostgresLedger, account: str, name: str, charge_nusd: int) -> None:
    reserve_id, settle_id = named_id(name, "reserve"), named_id(name, "settle")
    reserved = await ledger.transact(CREDIT, account, hold(name, 5), command_id=reserve_id)
    acknowledge(reserve_id, reserved.position, 0)
    settled = await ledger.transact(CREDIT, account, settle(name, charge_nusd), command_id=settle_id)
    acknowledge(settle_id, settled.position, charge_nusd)


def acknowledge(command_id: UUID, position: int, charge_nusd: int) -> None:
    """In one write, so that a kill cannot leave half a line."""
    os.write(1, f"{command_id} {position} {charge_nusd}\n".encode())


async def main(dsn: str, name: str, accounts: list[str]) -> None:
    ledger = PostgresLedger(dsn)
    running = asyncio.create_task(ledger.run())

    async def call(i: int) -> None:
        for n in itertools.count():
            await request(ledger, accounts[(i + n) % len(accounts)], f"{name}-{i}-{n}", n % 4)

    await asyncio.gather(running, *(call(i) for i in range(CALLERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
