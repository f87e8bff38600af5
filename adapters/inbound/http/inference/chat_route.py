"""POST /v1/chat/completions, straight on ASGI: the path that every paid request takes
(docs/explanation/architecture.md#the-life-of-a-request)."""

from functools import partial

from starlette.types import Receive, Scope

from adapters.inbound.http.callers import authenticate
from adapters.inbound.http.edge.connections import connection_of
from adapters.inbound.http.errors.table import answer_to_break
from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.inference.write_end import usage_of, write_end, write_whole
from adapters.inbound.http.server.body_budget import SMALL_BYTES
from adapters.inbound.http.server.boundary import refusal_of
from adapters.inbound.http.server.reply import Header, Reply
from adapters.inbound.http.server.request_body import LARGE_BYTES, decode_members, in_worker, read_body
from adapters.inbound.http.server.request_headers import RequestHeaders, read_headers
from adapters.inbound.http.server.stream_reply import StreamReply
from application.generate.complete_chat import Completed
from application.generate.request.read_chat_request import ChatRequest, read_chat_request
from application.generate.stream_chat import ChatStream, KeptStream
from application.generate.stream_end import BrokenOff, Ended
from application.ports.key_directory import Caller
from domain.log import format_position
from domain.money import format_usd

METHOD, PATH = "POST", "/v1/chat/completions"

_JSON: Header = (b"content-type", b"application/json")


class ChatRoute:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._complete = gateway.inference.complete_chat
        self._stream = gateway.inference.stream_chat
        self._limits = gateway.limits
        self._telemetry = gateway.telemetry

    async def __call__(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        """Check the key before reading the body, so that strangers cannot make us read 32 MiB. Raises: DomainError."""
        headers = read_headers(scope["headers"])
        caller = await authenticate(self._gateway, scope, headers)
        with self._gateway.accounts.generation(caller.account_id):
            await self._generate(caller, headers, scope, receive, reply)

    async def _generate(
        self, caller: Caller, headers: RequestHeaders, scope: Scope, receive: Receive, reply: Reply
    ) -> None:
        headers.check_is_json()
        if headers.traceparent:
            self._telemetry.join(headers.traceparent)
        with self._gateway.bodies.lease() as lease:
            may_be_large = partial(self._gateway.inference.check_large_body, caller, SMALL_BYTES)
            body = await read_body(receive, headers, self._limits, lease, may_be_large)
            request = await _request_of(body, headers)
            if request.streamed:
                await self._answer_streamed(caller, request, scope, receive, reply)
            else:
                completed = await self._complete(caller, request)
                body = write_whole(completed)
                await reply.whole(200, _headers_of(completed, len(body)), body)

    async def _answer_streamed(
        self, caller: Caller, request: ChatRequest, scope: Scope, receive: Receive, reply: Reply
    ) -> None:
        """If the client hangs up, the stream is still read to its end and settled (docs/reference/rules.md#charges)."""
        events = StreamReply(reply, receive, connection_of(scope), self._limits, self._gateway.clock.elapsed_s)
        try:
            stream = await self._stream(caller, request, events.when_gone)
            await events.open(_stream_headers_of(stream))
            async for part in stream:
                if isinstance(part, Ended):
                    await events.send(write_end(stream.generation_id, part), is_last=True)
                elif isinstance(part, BrokenOff):
                    answer = answer_to_break(part.code, part.message, part.facts)
                    self._telemetry.refused(refusal_of(scope, reply, answer))
                    await events.fail(answer, usage_of(part))
                else:
                    await events.send(part)
            await events.close()
        finally:
            events.stop()


async def _request_of(body: bytes, headers: RequestHeaders) -> ChatRequest:
    """A large body is read off the event loop, so that other requests need not wait for it."""
    read = partial(_read, body, headers)
    return await in_worker(read) if len(body) > LARGE_BYTES else read()


def _read(body: bytes, headers: RequestHeaders) -> ChatRequest:
    idempotency = headers.idempotency(METHOD.encode(), PATH.encode(), body)
    read = partial(read_chat_request, app=headers.app, title=headers.title, idempotency=idempotency)
    return decode_members(body, read)


def _headers_of(completed: Completed, length: int) -> list[Header]:
    receipt = completed.receipt
    headers = [
        _JSON,
        (b"content-length", b"%d" % length),
        (b"x-generation-id", completed.generation_id.encode()),
        (b"x-gatewayz-cost", format_usd(receipt.settled.paid_nusd).encode()),
        (b"x-gatewayz-position", format_position(receipt.position).encode()),
    ]
    return headers + _changed(completed.clamped_to, completed.dropped)


def _stream_headers_of(stream: ChatStream | KeptStream) -> list[Header]:
    headers = [
        (b"x-generation-id", stream.generation_id.encode()),
        (b"x-gatewayz-position", format_position(stream.position).encode()),
    ]
    return headers + _changed(stream.clamped_to, stream.dropped)


def _changed(clamped_to: int | None, dropped: tuple[str, ...]) -> list[Header]:
    """Headers that name what was not passed on as the client sent it; mostly none."""
    headers: list[Header] = []
    if clamped_to is not None:
        headers.append((b"x-gatewayz-max-tokens-clamped", b"%d" % clamped_to))
    if dropped:
        headers.append((b"x-gatewayz-dropped-params", ", ".join(dropped).encode()))
    return headers
