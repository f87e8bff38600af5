"""Appends: our group commit against the stock recorder, and one hot account on two processes against spread ones."""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import NamedTuple
from uuid import uuid4

import uvloop
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from adapters.outbound.crypto.clock_and_ids import SystemIds
from adapters.outbound.postgres.append.ledger import PostgresLedger
from application.ports.ledger import Waiting
from domain.command_ids import step_id
from domain.credit.commands import Grant, Reserve, Settle
from domain.credit.decider import CREDIT
from domain.credit.events import Generation
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.quote import quote
from domain.pricing.rate import rate
from domain.pricing.usage import Unit
from tests.rigs.databases import Database, TestServer

CALLERS = 64
REPEATS = 5
APPENDS = 6_000
STATE = b'{"at":"2026-11-22T00:00:00Z","note":"' + b"x" * 110 + b'"}'
PRICES = PriceSet("bench", (PriceTier(0, {"input": 150_000_000, "output": 600_000_000}),))
QUOTE = quote(PRICES, max_input_tokens=1_000, output_tokens=100)
USAGE: dict[Unit, int] = {"input": 100, "output": 50}
IDS = SystemIds()


class Appends(NamedTuple):
    """cpu_us: of this process an append; PostgreSQL's is not in it."""

    per_s: float
    cpu_us: float

    def __str__(self) -> str:
        return f"{self.per_s:8.0f} appends/s  {self.cpu_us:5.0f} us of CPU each"


def run() -> None:
    server = TestServer()
    try:
        with fresh(server) as database:
            stock = medians([stock_appends(database) for _ in range(3)])
        with fresh(server) as database:
            ours = medians([appends(database, CALLERS, 1_000) for _ in range(REPEATS)])
        print(f"  {CALLERS} concurrent callers, one event an append, fsync on:")
        print(f"    stock recorder        {stock}")
        print(f"    group commit          {ours}   {ours.per_s / stock.per_s:.1f} x")
        for callers in (1, 8, 32):
            with fresh(server) as database:
                few = appends(database, callers, 100, APPENDS // 4)
            print(f"    group commit, c={callers:<4}  {few}   {callers / few.per_s * 1e3:.2f} ms each")
        hot, spread = (statistics.median(two_processes(server, accounts) for _ in range(3)) for accounts in (1, 1_000))
        print(f"  two processes: hot account {hot:.0f} requests/s, 1,000 accounts {spread:.0f}: {hot / spread:.2f} x")
    finally:
        server.stop()


@contextmanager
def fresh(server: TestServer) -> Iterator[Database]:
    database = Database(server.dsn)
    yield database
    database.drop()


def medians(runs: Sequence[Appends]) -> Appends:
    return Appends(statistics.median(run.per_s for run in runs), statistics.median(run.cpu_us for run in runs))


def stock_appends(database: Database, count: int = 1_500) -> Appends:
    """The library's own recorder at its default settings, in a table of its own, one event a save."""
    place = conninfo_to_dict(database.owner)
    with PostgresDatastore(
        dbname=database.name,
        host=str(place["host"]),
        port=str(place["port"]),
        user=str(place["user"]),
        password=str(place["password"]),
        originator_id_type="text",
        pool_size=CALLERS,
    ) as datastore:
        recorder = PostgresApplicationRecorder(datastore, events_table_name=f"stock_{uuid4().hex[:8]}")
        recorder.create_table()

        def save(_: int) -> None:
            recorder.insert_events([StoredEvent(f"credit-{uuid4()}", 1, "bench", STATE)])

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(save, range(CALLERS)))  # connections open
            started, cpu_s = time.perf_counter(), time.process_time()
            list(pool.map(save, range(count)))
            return Appends(count / (time.perf_counter() - started), (time.process_time() - cpu_s) / count * 1e6)


def appends(database: Database, callers: int, accounts: int, requests: int = APPENDS // 2) -> Appends:
    """Of reserve and settle, decided and appended: two appends a request."""
    return uvloop.run(_appends(database.writer, callers, [str(uuid4()) for _ in range(accounts)], requests))


async def _appends(info: str, callers: int, accounts: list[str], requests: int) -> Appends:
    async with running(info) as ledger:
        await asyncio.gather(*(grant(ledger, account) for account in accounts))
        cpu_s = time.process_time()
        seconds = await serve(ledger, callers, accounts, requests)
        return Appends(2 * requests / seconds, (time.process_time() - cpu_s) / (2 * requests) * 1e6)


@asynccontextmanager
async def running(info: str) -> AsyncIterator[PostgresLedger]:
    ledger = PostgresLedger(info)
    task = asyncio.create_task(ledger.run())
    yield ledger
    await ledger.close()
    await task


async def serve(ledger: PostgresLedger, callers: int, accounts: list[str], requests: int) -> float:
    async def caller(first: int) -> None:
        for n in range(first, requests, callers):
            await reserve_and_settle(ledger, accounts[n % len(accounts)])

    started = time.perf_counter()
    await asyncio.gather(*(caller(n) for n in range(callers)))
    return time.perf_counter() - started


async def grant(ledger: PostgresLedger, account: str) -> None:
    command = Grant(at=datetime.now(UTC), lot_id=str(uuid4()), kind="purchased", amount_nusd=10**15)
    await ledger.transact(CREDIT, account, command, command_id=uuid4())


async def reserve_and_settle(ledger: PostgresLedger, account: str) -> None:
    reservation, now = IDS.new(), datetime.now(UTC)
    reserve = Reserve(
        at=now,
        reservation_id=str(reservation),
        key_id="bench",
        quote=QUOTE,
        deadline_at=now,
        expires_at=now,
        requested_model="bench/m",
        model="bench/m",
        provider="bench",
        price_version="bench",
    )
    await ledger.transact(
        CREDIT, account, reserve, command_id=step_id(reservation, "reserve"), waiting=Waiting(sheddable=True)
    )
    settle = Settle(
        at=now,
        reservation_id=str(reservation),
        charge=rate(USAGE, PRICES),
        generation=Generation(provider="bench", model="bench/m", usage=dict(USAGE)),
    )
    await ledger.transact(CREDIT, account, settle, command_id=step_id(reservation, "settle"))


def two_processes(server: TestServer, accounts: int, requests: int = 3_000) -> float:
    """Requests per second of two processes together, 32 callers each, on `accounts` shared accounts."""
    with fresh(server) as database:
        names = [str(uuid4()) for _ in range(accounts)]
        uvloop.run(_grant_all(database.writer, names))
        context = multiprocessing.get_context("spawn")
        barrier, results = context.Barrier(2), context.Queue()
        workers = [
            context.Process(target=_worker, args=(database.writer, names, requests, barrier, results)) for _ in "ab"
        ]
        for worker in workers:
            worker.start()
        spans = [results.get(timeout=120) for _ in workers]
        for worker in workers:
            worker.join()
        events = database.sql("SELECT count(*) FROM ledger.stored_events WHERE topic = 'credit.settled.v1'")[0][0]
        assert events == 2 * requests, f"{events} settled of {2 * requests}"
    return 2 * requests / (max(end for _, end in spans) - min(start for start, _ in spans))


async def _grant_all(info: str, accounts: list[str]) -> None:
    async with running(info) as ledger:
        await asyncio.gather(*(grant(ledger, account) for account in accounts))


def _worker(
    info: str, accounts: list[str], requests: int, barrier: Barrier, results: "Queue[tuple[float, float]]"
) -> None:
    async def work() -> tuple[float, float]:
        async with running(info) as ledger:
            await ledger.state_of(CREDIT, accounts[0])
            await asyncio.to_thread(barrier.wait)
            started = time.time()
            await serve(ledger, 32, accounts, requests)
            return started, time.time()

    results.put(uvloop.run(work()))
