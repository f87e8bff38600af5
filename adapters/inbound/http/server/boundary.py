"""The one boundary: refusals become answers by the error table; any other exception a 500 with a request id."""

import traceback
from collections.abc import Awaitable, Callable

import structlog
import uuid_utils
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.inbound.http.errors.envelopes import OPENAI, OPENROUTER, Envelope
from adapters.inbound.http.errors.table import ErrorAnswer, answer_to
from adapters.inbound.http.server.cors import Cors
from adapters.inbound.http.server.reply import Reply
from adapters.inbound.http.server.request_body import ClientLeft
from application.ports.telemetry import Refusal, Telemetry
from domain.errors import DomainError

log = structlog.get_logger()

MAX_CAUSES = 5
"""Exceptions of a chain that are logged with their stacks."""


class Boundary:
    """Around hot routes by `guard`, around FastAPI's by `Guarded`."""

    def __init__(self, telemetry: Telemetry, is_out_of_reach: Callable[[Exception], bool], cors: Cors) -> None:
        self.cors = cors
        self._telemetry = telemetry
        self._is_out_of_reach = is_out_of_reach

    async def guard(self, scope: Scope, reply: Reply, work: Awaitable[None]) -> None:
        try:
            await work
        except DomainError as refusal:
            await self._tell(scope, reply, answer_to(refusal))
        except ClientLeft:
            return
        except Exception as fault:  # noqa: BLE001 - nothing may pass this without an answer and a line in the log
            await self._tell(scope, reply, answer_to(self._refusal_of(fault, scope, reply.request_id)))

    async def _tell(self, scope: Scope, reply: Reply, answer: ErrorAnswer) -> None:
        self._telemetry.refused(refusal_of(scope, reply, answer))
        await reply.fail(answer)

    def _refusal_of(self, fault: Exception, scope: Scope, request_id: str) -> DomainError:
        if self._is_out_of_reach(fault):
            log.warning("database out of reach", path=scope["path"], error=type(fault).__name__)
            return DomainError("ledger_unavailable", retry_after_s=1)
        return _named_fault(fault, scope, request_id)


class Guarded:
    """FastAPI's outermost middleware: exceptions that its own handlers do not name arrive here."""

    def __init__(self, app: ASGIApp, boundary: Boundary) -> None:
        self._app = app
        self._boundary = boundary

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        reply = Reply(send, new_request_id(), envelope_of(scope), self._boundary.cors.headers_for(scope))
        await self._boundary.guard(scope, reply, self._app(scope, receive, reply.send))


def refusal_of(scope: Scope, reply: Reply, answer: ErrorAnswer) -> Refusal:
    """The refusal as operators see it."""
    return Refusal(
        code=answer.detail.code,
        status=answer.status,
        message=answer.detail.message,
        request_id=reply.request_id,
        method=scope["method"],
        path=scope["path"],
        generation_id=str(answer.detail.metadata.get("generation_id", "")),
    )


def new_request_id() -> str:
    return f"req-{uuid_utils.uuid7()}"


def envelope_of(scope: Scope) -> Envelope:
    """By the path that the client sent: `raw_path` keeps the alias."""
    return OPENROUTER if scope["raw_path"].startswith(b"/api/") else OPENAI


def _named_fault(fault: Exception, scope: Scope, request_id: str) -> DomainError:
    """Logs where `fault` happened, never its text, which may quote a body or a secret."""
    log.error(
        "unexpected exception",
        request_id=request_id,
        method=scope["method"],
        path=scope["path"],
        stack=_stack(fault),
    )
    return DomainError("internal_error", request_id=request_id)


def _stack(fault: BaseException) -> str:
    """The frames of `fault` and its causes, with source lines and without values."""
    stacks: list[str] = []
    cause: BaseException | None = fault
    while cause is not None and len(stacks) < MAX_CAUSES:
        kind = type(cause)
        frames = "".join(traceback.format_tb(cause.__traceback__))
        stacks.append(f"{kind.__module__}.{kind.__qualname__}\n{frames}")
        cause = cause.__cause__ or cause.__context__
    return "caused by ".join(stacks)
