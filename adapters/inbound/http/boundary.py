"""The one boundary: refusals become answers by the error table; what nobody named, a 500 with a request id."""

import traceback
from collections.abc import Awaitable
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.inbound.http.errors import ErrorAnswer, answer_to
from adapters.inbound.http.reply import Reply
from adapters.inbound.http.request_body import ClientLeft
from application.ports import Telemetry
from domain.errors import DomainError

log = structlog.get_logger()

MAX_CAUSES = 5
"""Exceptions of a chain whose stacks are logged."""


class Boundary:
    """Around hot routes by `guard`, around FastAPI's by `Guarded`."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    async def guard(self, scope: Scope, reply: Reply, work: Awaitable[None]) -> None:
        try:
            await work
        except DomainError as refusal:
            self._telemetry.refused(refusal.code)
            await reply.fail(answer_to(refusal))
        except ClientLeft:
            return
        except Exception as fault:  # noqa: BLE001 - nothing may pass this without an answer and a line in the log
            self._telemetry.refused("internal_error")
            await reply.fail(_answer_to_fault(fault, scope))


class Guarded:
    """As FastAPI's outermost middleware: what its own handlers do not name arrives here."""

    def __init__(self, app: ASGIApp, boundary: Boundary) -> None:
        self._app = app
        self._boundary = boundary

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reply = Reply(send)
        await self._boundary.guard(scope, reply, self._app(scope, receive, reply.send))


def _answer_to_fault(fault: Exception, scope: Scope) -> ErrorAnswer:
    """Logs where it happened, never what it says: an exception's text may quote a body or a secret."""
    request_id = f"req-{uuid4()}"
    log.error(
        "unexpected exception",
        request_id=request_id,
        method=scope["method"],
        path=scope["path"],
        stack=_stack(fault),
    )
    return answer_to(DomainError("internal_error", request_id=request_id))


def _stack(fault: BaseException) -> str:
    """The frames of `fault` and its causes, with source lines and without values."""
    told: list[str] = []
    cause: BaseException | None = fault
    while cause is not None and len(told) < MAX_CAUSES:
        kind = type(cause)
        frames = "".join(traceback.format_tb(cause.__traceback__))
        told.append(f"{kind.__module__}.{kind.__qualname__}\n{frames}")
        cause = cause.__cause__ or cause.__context__
    return "caused by ".join(told)
