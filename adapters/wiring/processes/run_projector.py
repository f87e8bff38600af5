"""One projector process: follows the log, expires what is due, drops answers past their time, until told to stop.

Everything is imported here at once, so that its loading is over before it is told to begin.
"""

import asyncio
import contextlib
import signal
import sys
import threading

import psycopg
import structlog
import uvloop
from psycopg_pool import PoolTimeout

from adapters.inbound.workers.expire import EVERY_S as EXPIRE_EVERY_S
from adapters.inbound.workers.expire import ExpiryTurn
from adapters.inbound.workers.repeat import repeat
from adapters.outbound.crypto.clock_and_ids import SystemClock
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.project.lead_expiry import ExpiryLead
from adapters.outbound.postgres.read.ask_builds import PoolReader
from adapters.outbound.telemetry.metrics import Metrics
from adapters.settings.settings import Settings
from adapters.wiring.compose.core import RunningLedger, running_ledger
from adapters.wiring.database.database import Database
from application.use_cases import expiry

DROP_ANSWERS_EVERY_S = 60.0
CATCH_UP_S = 5.0
"""At the end: the API has stopped by then, so what is left is the last moment's."""

DATABASE_AWAY = (psycopg.OperationalError, psycopg.errors.UndefinedTable, PoolTimeout, TimeoutError, OSError)
"""UndefinedTable: the read schema of a fresh database is made by the projector thread a moment later."""

SWITCH_INTERVAL_S = 0.0005
"""How long a thread that computes keeps the interpreter from one that has its reply. A page of the active builds waits
for some fifteen replies: at Python's 5 ms a new build that catches up would make it 75 ms late."""

log = structlog.get_logger()


def run_projector(database: Database, settings: Settings) -> int:
    """Returns the exit code: 1 if projecting or a loop ended by itself."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(database, settings))


async def _run(database: Database, settings: Settings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = Metrics(settings.metrics_folder)
    async with running_ledger(database, settings, "gatewayz projector", metrics.appended) as core:
        lead = ExpiryLead(database.writer("gatewayz expiry"))
        turn = ExpiryTurn(expiry(core.ledger, core.reads.due, SystemClock()), lead.is_ours)
        tasks = [
            *core.duties,
            asyncio.create_task(_project(database, core, metrics, stop), name="projecting"),
            asyncio.create_task(repeat(turn, EXPIRE_EVERY_S, stop, passing=DATABASE_AWAY), name="expiry"),
            asyncio.create_task(_drop_answers(core, stop), name="dropping answers"),
        ]
        asking = asyncio.create_task(stop.wait())
        await asyncio.wait([asking, *tasks], return_when=asyncio.FIRST_COMPLETED)
        fallen = [task for task in tasks if task.done() and not asking.done()]
        for task in fallen:
            log.error(
                "a task that must run has ended: the process ends too", task=task.get_name(), exc_info=task.exception()
            )
        stop.set()
        await asyncio.wait(tasks[len(core.duties) :])
        asking.cancel()
        lead.close()
        return 1 if fallen else 0


async def _project(database: Database, core: RunningLedger, metrics: Metrics, stop: asyncio.Event) -> None:
    """The projector in a thread of its own: it is synchronous, and must not wait for the loops beside it."""
    projector = Projector(
        database.projector("gatewayz projector"),
        on_page=lambda page: metrics.projected(page.lags_ms),
        on_parked=lambda parked: metrics.parked.labels(parked.projection).inc(),
        on_difference=lambda difference: metrics.differing_builds.labels(difference.projection).inc(),
    )
    told = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(projector.run, told))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await _hold_all(core)
    told.set()
    waiting.cancel()
    await running


async def _hold_all(core: RunningLedger) -> None:
    """Let the read models come to the log's end, so that whoever reads them while nothing runs misses nothing."""
    with contextlib.suppress(*DATABASE_AWAY):
        async with asyncio.timeout(CATCH_UP_S):
            head = await PoolReader(core.pool).rows("SELECT position FROM ledger.head")
            await core.reads.positions.wait_for(head[0][0], CATCH_UP_S)


async def _drop_answers(core: RunningLedger, stop: asyncio.Event) -> None:
    async def drop_stale_answers() -> None:
        await PoolReader(core.pool).rows("SELECT ledger.drop_stale_answers()")

    await repeat(drop_stale_answers, DROP_ANSWERS_EVERY_S, stop, passing=DATABASE_AWAY)
