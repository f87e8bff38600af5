"""Is it alive, may it be sent requests, how is it doing."""

import msgspec
from fastapi import APIRouter, Request, Response

from adapters.inbound.http.callers import Using
from adapters.inbound.http.drain import Drain
from adapters.inbound.http.gateway import Check
from adapters.inbound.http.json_shape import answer, answers


class Health(msgspec.Struct, frozen=True):
    status: str
    version: str


class Readiness(msgspec.Struct, frozen=True):
    """`ready` if every required check passed and the process is not shutting down."""

    ready: bool
    checks: list[Check]


SHAPES = (Health, Readiness)


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
async def metrics(gateway: Using) -> Response:
    """Prometheus text."""
    content, content_type = gateway.metrics()
    return Response(content, media_type=content_type)
