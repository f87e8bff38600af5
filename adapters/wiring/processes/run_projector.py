"""One projector process: follows the log, expires reservations and lots, drops stale answers, until a stop signal.

Everything is imported here at once, so that all code is loaded before the supervisor starts the process's work.
"""

import asyncio
import contextlib
import signal
import sys

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
"""At shutdown: the API has stopped by then, so only the last moment's events are left."""

DATABASE_AWAY = (psycopg.OperationalError, PoolTimeout, TimeoutError, OSError)
"""NotBuilt is among them: in a fresh database, the projector thread makes the read models a moment later."""

SWITCH_INTERVAL_S = 0.0005
"""How long a computing thread keeps the interpreter from one that has its reply. A page of the active builds needs
about fifteen replies: at Python's default of 5 ms, a new build that catches up would delay it by 75 ms."""

log = structlog.get_logger()


def run_projector(database: Database, settings: Settings) -> int:
    """Returns the exit code: 1 if the projection or a loop ended by itself."""
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
    """Run the projector in its own thread: it is synchronous, and must not wait for the other loops."""
    projector = Projector(
        database.projector("gatewayz projector"),
        on_page=lambda page: metrics.projected(page.lags_ms),
        on_parked=lambda parked: metrics.parked.labels(parked.projection).inc(),
        on_difference=lambda difference: metrics.differing_builds.labels(difference.projection).inc(),
    )
    running = asyncio.create_task(asyncio.to_thread(projector.run))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
    if not running.done():
        await _catch_up(core)
    projector.stop()
    waiting.cancel()
    await running


async def _catch_up(core: RunningLedger) -> None:
    """Wait until the read models reach the end of the log, so that they are complete while no process runs."""
    with contextlib.suppress(*DATABASE_AWAY):
        async with asyncio.timeout(CATCH_UP_S):
            head = await PoolReader(core.pool).rows("SELECT position FROM ledger.head")
            await core.reads.positions.wait_for(head[0][0], CATCH_UP_S)


async def _drop_answers(core: RunningLedger, stop: asyncio.Event) -> None:
    async def drop_stale_answers() -> None:
        await PoolReader(core.pool).rows("SELECT ledger.drop_stale_answers()")

    await repeat(drop_stale_answers, DROP_ANSWERS_EVERY_S, stop, passing=DATABASE_AWAY)
