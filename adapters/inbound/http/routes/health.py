"""Liveness, readiness and metrics of this process."""

import asyncio

import msgspec
from fastapi import APIRouter, Request, Response

from adapters.inbound.http.callers import Using
from adapters.inbound.http.gateway import Check, Gateway
from adapters.inbound.http.server.drain import Drain
from adapters.inbound.http.server.kept_body import KeptBody
from adapters.inbound.http.shapes.json_shape import answer, answers


class Health(msgspec.Struct, frozen=True):
    status: str
    version: str


class Readiness(msgspec.Struct, frozen=True):
    """`ready` if every required check passed and the process is not shutting down."""

    ready: bool
    checks: list[Check]


SHAPES = (Health, Readiness)


METRICS_S = 0.25
"""Writing them takes 2 to 15 ms of the loop that also serves customers, and no scraper asks more often."""


def metrics_text(gateway: Gateway) -> KeptBody[int]:
    """Made once in each METRICS_S in which it is asked for."""
    return KeptBody(lambda _: gateway.metrics()[0], gateway.metrics()[1])


router = APIRouter(tags=["operation"])


@router.get("/health", responses=answers(Health, "The process is alive."))
async def health(gateway: Using) -> Response:
    return answer(Health("ok", gateway.version))


@router.get("/ready", responses={**answers(Readiness, "Send requests here."), **answers(Readiness, "Send none.", 503)})
async def ready(request: Request, gateway: Using) -> Response:
    drain: Drain = request.app.state.drain
    checks = [*await gateway.readiness(), Check(name="not shutting down", passed=not drain.has_begun)]
    is_ready = all(check.passed or not check.required for check in checks)
    return answer(Readiness(is_ready, checks), status=200 if is_ready else 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """Prometheus text, at most METRICS_S old."""
    kept: KeptBody[int] = request.app.state.metrics_text
    return kept.answer(request, int(asyncio.get_running_loop().time() / METRICS_S))
