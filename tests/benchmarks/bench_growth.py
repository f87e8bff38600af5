"""Does cost grow with the log? The same work on a short log of few accounts and a long one of many, in turn.

On both, 10 accounts are at work, so that the cache of streams plays no part. Snapshots are on; the first round, which
loads what the bulk-made log has, does not count.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import uvloop
from psycopg_pool import AsyncConnectionPool

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.reads import postgres_reads
from adapters.outbound.postgres.setup.ensure_roles import Roles, ensure_roles
from tests.benchmarks.bench_append import CALLERS, reserve_and_settle, running, serve
from tests.benchmarks.bulk_log import make_log
from tests.rigs.databases import PASSWORD, ROLES, Database, TestServer
from tests.rigs.running import SERVE, free_port, spawn, stop, wait_until_ready

SMALL = (10_000, 10)
LARGE = (int(os.environ.get("EVENTS", "1000000")), int(os.environ.get("ACCOUNTS", "100000")))
"""Events and accounts."""

AT_WORK = 10
ROUNDS = 13
REQUESTS = 1_500
LATENCIES = 300
LOOKUPS = 300
STARTS = 3
PAGE_SIZE = 5_000

SOME_ACCOUNTS = "SELECT account_id FROM read.account_standing ORDER BY md5(account_id) LIMIT %s"
THEIR_KEYS = "SELECT secret_hash FROM read.api_key WHERE account_id = ANY(%s)"
SOME_KEYS = "SELECT secret_hash FROM read.api_key ORDER BY md5(key_id) LIMIT %s"

MAX_ROUNDS_TO_LIVE_IN = 1_000
IN_LAST_PAGES, NEWEST = 200, 1_000
"""Pages that the newest events must lie in; they fill about 80."""

ARE_AT_THE_END = """
SELECT min((ctid::text::point)[0]) > pg_relation_size('ledger.stored_events') / 8192 - %s
  FROM (SELECT ctid FROM ledger.stored_events ORDER BY notification_id DESC LIMIT %s) AS newest
"""

Figures = Mapping[str, float]


def run() -> None:
    """EVENTS=5000000 in the environment for the full size."""
    server = TestServer()
    small, large = Database(server.dsn), Database(server.dsn)
    try:
        for database, (events, accounts) in ((small, SMALL), (large, LARGE)):
            made = make_log(database.owner, events, accounts)
            Projector(database.projector, page_size=PAGE_SIZE).catch_up()
            database.sql("VACUUM (FREEZE, ANALYZE)")  # else autovacuum does it meanwhile, on one side only
            lived = live_in(database)
            Projector(database.projector, page_size=PAGE_SIZE).catch_up()
            print(f"  log of {made:,} events, {accounts:,} accounts; {lived:,} requests to live in", flush=True)
        small.sql("CHECKPOINT")
        rounds = [(measured(small), measured(large)) for _ in range(ROUNDS)][1:]
        for database in (small, large):
            hand_over(database)
        starts = [(start_up_s(small), start_up_s(large)) for _ in range(STARTS)]
    finally:
        small.drop()
        large.drop()
        server.stop()
    report([a for a, _ in rounds], [b for _, b in rounds])
    report([{"start-up, s": a} for a, _ in starts], [{"start-up, s": b} for _, b in starts])


def live_in(database: Database) -> int:
    """Requests until new events go to the end of the log.

    A log made at one go has room for a short event in each of its pages, which live traffic would have used at once. A
    vacuum makes it known, and appends go there, one random old page each, until it is used up.
    """
    accounts = [account for (account,) in database.sql(SOME_ACCOUNTS, AT_WORK)]
    for rounds in range(MAX_ROUNDS_TO_LIVE_IN):
        if rounds and database.sql(ARE_AT_THE_END, IN_LAST_PAGES, NEWEST) == [(True,)]:
            return rounds * REQUESTS
        uvloop.run(_live(database, accounts))
    raise AssertionError("new events still go into old pages")


async def _live(database: Database, accounts: Sequence[str]) -> None:
    async with running(database.writer) as ledger:
        await serve(ledger, CALLERS, list(accounts), REQUESTS)


def report(small: Sequence[Figures], large: Sequence[Figures]) -> None:
    for name in small[0]:
        a, b = (statistics.median(figures[name] for figures in side) for side in (small, large))
        each = sorted(after[name] / before[name] for before, after in zip(small, large, strict=True))
        print(f"    {name:24}{a:10.3f}{b:10.3f}   {b / a:.2f} x   (rounds {each[0]:.2f} to {each[-1]:.2f})", flush=True)


def measured(database: Database) -> Figures:
    """Only what is used is fetched: 100,000 rows kept here would give Python's collector work on one side only."""
    accounts = [account for (account,) in database.sql(SOME_ACCOUNTS, AT_WORK)]
    at_work = [key for (key,) in database.sql(THEIR_KEYS, accounts)]
    any_ = [key for (key,) in database.sql(SOME_KEYS, LOOKUPS)]
    return uvloop.run(_measured(database, accounts, at_work, any_))


async def _measured(
    database: Database, accounts: Sequence[str], at_work: Sequence[bytes], any_: Sequence[bytes]
) -> Figures:
    async with running(database.writer) as ledger:
        for account in accounts:
            await reserve_and_settle(ledger, account)  # loads its stream
        return {
            "appends/s, 64 callers": 2 * REQUESTS / await serve(ledger, CALLERS, list(accounts), REQUESTS),
            "reserve and settle, ms": await _median_ms(
                lambda n: reserve_and_settle(ledger, accounts[n % AT_WORK]), LATENCIES
            ),
            "key lookup at work, ms": await _lookup_ms(database, random.choices(at_work, k=LOOKUPS)),
            "key lookup of any, ms": await _lookup_ms(database, random.choices(any_, k=LOOKUPS)),
        }


async def _lookup_ms(database: Database, keys: Sequence[bytes]) -> float:
    async with AsyncConnectionPool(database.writer, min_size=1, max_size=1, kwargs={"autocommit": True}) as pool:
        reads = postgres_reads(pool)
        for key in keys[:20]:
            assert await reads.keys.with_secret(key) is not None
        return await _median_ms(lambda n: reads.keys.with_secret(keys[n]), len(keys))


async def _median_ms(work: "Callable[[int], Awaitable[object]]", times: int) -> float:
    taken = []
    for n in range(times):
        started = time.perf_counter()
        await work(n)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1_000


def hand_over(database: Database) -> None:
    """To roles of its own, as `gatewayz migrate` makes them; so far those of the tests' template owned the tables."""
    own = Roles.of(database.name)
    ensure_roles(database.owner, own, dict.fromkeys(own, PASSWORD))
    database.sql(f"REASSIGN OWNED BY {ROLES.projector} TO {own.projector}")


def start_up_s(database: Database) -> float:
    """From the command to /ready, on a database that is there already."""
    with tempfile.TemporaryDirectory(prefix="gatewayz-run-") as folder:
        port = free_port()
        environment = {
            "GATEWAYZ_HOME": str(Path(folder) / "home"),
            "GATEWAYZ_PORT": str(port),
            "DATABASE_URL": database.owner,
            "GATEWAYZ_PEPPER": "for-benchmarks-only-7c1e90d4b85fa263",
            "GATEWAYZ_KEYRING": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
        }
        started = time.perf_counter()
        child = spawn(*SERVE, **environment)
        try:
            wait_until_ready(port)
            return time.perf_counter() - started
        finally:
            stop(child)
