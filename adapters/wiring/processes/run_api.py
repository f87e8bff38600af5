"""One API process: the HTTP surface on a socket and the ledger behind it, until a stop signal.

Everything is imported here at once, so that a spare process has loaded all its code before it is needed.
"""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

import structlog
import uvicorn
import uvloop

from adapters.inbound.http.app import GatewayApp, create_app
from adapters.inbound.http.edge.connections import Connections
from adapters.inbound.http.edge.protocol import Edge
from adapters.outbound.postgres.read.ask_builds import PoolReader
from adapters.outbound.postgres.read.key_directory import CachedKeyDirectory
from adapters.outbound.postgres.wire.wake_up import notifications_arrive
from adapters.outbound.providers.http1.pool import MAX_CONNECTIONS_PER_ORIGIN
from adapters.outbound.providers.http_chat_providers import HttpChatProviders
from adapters.outbound.providers.offers.catalog import ProviderCatalog
from adapters.outbound.providers.shared_providers import SharedProviders
from adapters.outbound.telemetry.metrics import Metrics
from adapters.outbound.telemetry.spans import open_spans
from adapters.outbound.telemetry.telemetry import PrometheusTelemetry
from adapters.outbound.telemetry.traffic import log_traffic
from adapters.outbound.tokens.worker_counter import WorkerCounter
from adapters.settings.settings import Settings
from adapters.wiring.compose.core import end_tasks, running_core
from adapters.wiring.compose.gateway import addresses_of, gateway_of
from adapters.wiring.compose.readiness import ReadinessChecks, sample_database
from adapters.wiring.database.database import Database
from adapters.wiring.processes.draining_server import DrainingServer
from application.ports.telemetry import Refusal

KEEP_ALIVE_S = 75
"""Clients pool idle connections for up to a minute: closing one earlier would fail their next request."""

MAX_FILES = 65_536
"""Open connections to clients and providers; the default limit of many systems is 1,024 per process."""

GC_THRESHOLDS = (20_000, 50, 100)
"""Python by default looks for cycles after 700 new objects. A stream makes many times more, with almost no cycles.
After 20,000 is soon enough: uncollected cycles stay within a few MB."""

SETTLE_AFTER_DRAIN_S = 5.0
"""For settling the output of generations that the end of the drain interrupted."""

log = structlog.get_logger()


def run_api(database: Database, settings: Settings, sock: socket.socket, catalog: ProviderCatalog) -> int:
    """Serve on `sock` until SIGTERM or SIGINT; returns the exit code: 1 if a task that must run ended."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(allowed, MAX_FILES), allowed))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(database, settings, sock, catalog))


async def _serve(database: Database, settings: Settings, sock: socket.socket, catalog: ProviderCatalog) -> int:
    metrics = Metrics(settings.metrics_folder)
    spans = open_spans("gatewayz", settings.otlp_endpoint, to_console=settings.traces == "console")
    async with AsyncExitStack() as stack:
        stack.callback(spans.close)
        providers = HttpChatProviders(catalog.endpoints)
        stack.push_async_callback(providers.close)
        counter = WorkerCounter()
        stack.callback(counter.close)
        core = await stack.enter_async_context(running_core(database, settings, "gatewayz api", metrics.appended))
        metrics.queue_depth = lambda: core.ledger.queued
        metrics.busy_streams = lambda: len(core.ledger.busy_streams)
        keys = CachedKeyDirectory(
            core.reads.keys,
            core.ledger,
            core.personal_data,
            core.clock,
            database.writer("gatewayz api tail"),
            settings.reserve_patience_s,
        )
        duties = [
            *core.duties,
            asyncio.create_task(keys.tail.run(), name="key tail"),
            asyncio.create_task(sample_database(core.reads.credits, PoolReader(core.pool), metrics), name="samples"),
        ]
        telemetry = PrometheusTelemetry(metrics, spans, settings.owed_alarm_nusd)
        duties.append(asyncio.create_task(log_traffic(telemetry.traffic), name="traffic"))
        stack.push_async_callback(end_tasks, *duties[len(core.duties) :])
        app = create_app(
            gateway_of(
                core,
                settings,
                keys,
                catalog,
                SharedProviders(providers, MAX_CONNECTIONS_PER_ORIGIN, settings.provider_share),
                counter,
                telemetry,
                metrics,
                database.secrets.admin_key,
                ReadinessChecks(
                    PoolReader(core.pool),
                    lambda: core.ledger.busy_streams,
                    partial(notifications_arrive, database.writer("gatewayz api readiness")),
                    has_roles=database.roles is not None,
                ),
            )
        )
        return await _answer(app, edge_of(settings, telemetry.refused), sock, settings, duties)


async def _answer(
    app: GatewayApp, edge: Edge, sock: socket.socket, settings: Settings, duties: list[asyncio.Task[None]]
) -> int:
    server = DrainingServer(_config(app), edge, lambda: app.generations_under_way, settings.drain_s)
    fallen: list[asyncio.Task[None]] = []

    def stop() -> None:
        app.begin_drain()
        server.should_exit = True

    def fell(duty: asyncio.Task[None]) -> None:
        if not server.should_exit:
            fallen.append(duty)
            error = None if duty.cancelled() else duty.exception()
            log.error("a task that must run has ended: the process ends too", task=duty.get_name(), exc_info=error)
            stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    for duty in duties:
        duty.add_done_callback(fell)
    gc.collect()
    gc.freeze()  # loaded code stays until the end: collections need not scan it again
    gc.set_threshold(*GC_THRESHOLDS)
    await server.serve([sock])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_AFTER_DRAIN_S):
            while app.generations_under_way:  # noqa: ASYNC110 - runs once per process
                await asyncio.sleep(0.05)
    return 1 if fallen else 0


def edge_of(settings: Settings, refused: Callable[[Refusal], None]) -> Edge:
    connections = Connections(settings.connections, settings.connections_per_address, addresses_of(settings))
    return Edge(refused, connections)


def _config(app: GatewayApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
