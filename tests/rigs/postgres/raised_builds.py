"""The builds of a next release: two read models with a raised version."""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from adapters.outbound.postgres.read.reads import postgres_reads
from application.reads.credits import Credits
from domain.credit.events import Granted
from projections.engine.changes import Add, Change, Logged
from projections.engine.registry import PROJECTIONS
from tests.projections.raised.project import PROJECTION as RAISED_ENTRIES
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of

CREDIT, ENTRIES = (p for p in PROJECTIONS if p.name in ("available_credit", "ledger_entries"))
RAISED_CREDIT = replace(CREDIT, version=CREDIT.version + 1)
"""The same rule again."""

NEXT_RELEASE = (*PROJECTIONS, RAISED_CREDIT, RAISED_ENTRIES)
AS_BEFORE = {build.name: build.version for build in PROJECTIONS}
SWITCHED = {build.name: build.version for build in NEXT_RELEASE}
OLD, NEW = CREDIT.version, RAISED_CREDIT.version
ENTRY_TABLE = f"read.ledger_entry_{ENTRIES.build}"


def generous(recorded: Logged) -> Sequence[Change]:
    """A rule with a fault: each grant counts a nano-dollar too much."""
    changes = list(CREDIT.project(recorded))
    if isinstance(recorded.event, Granted):
        changes.append(Add(CREDIT.tables[0], (recorded.stream.removeprefix("credit-"),), {"granted_nusd": 1}))
    return changes


GENEROUS = replace(RAISED_CREDIT, project=generous)


def credits_of(database: Database, account_id: str, builds: Sequence[Any] = NEXT_RELEASE) -> Credits:
    async def asking() -> Credits:
        async with pool_of(database) as pool:
            return await postgres_reads(pool, builds).credits.of_account(account_id)

    return asyncio.run(asking())
