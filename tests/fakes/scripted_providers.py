"""Providers that answer what a test wrote down, in the form that a dialect would hand on."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Answer, Chunk
from application.ports.provider_failure import Explanation, ProviderFailure
from domain.catalog.offer import Offer
from domain.credit.events import Attempt
from domain.pricing.usage import Usage


class Stop:
    """A point of a script that waits until the test lets it go on. Usable across threads."""

    def __init__(self) -> None:
        self.is_reached = False
        self.may_go_on = False

    async def wait(self) -> None:
        self.is_reached = True
        while not self.may_go_on:
            await asyncio.sleep(0.005)


USAGE: Usage = {"input": 10, "output": 5}

Step = Chunk | Stop | ProviderFailure


class ScriptedProviders:
    """`answers` and `streams` by model; a call of a model without a script is a test's mistake (KeyError).

    `drops` is by provider; one that is `down` fails every call. A stream of a model in `slow_heads` begins after that.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Exception | Stop] = {}
        self.streams: dict[str, Sequence[Step]] = {}
        self.slow_heads: dict[str, Stop] = {}
        self.down: set[str] = set()
        self.drops: dict[str, frozenset[str]] = {}
        self.calls: list[ChatCall] = []
        self.closed = 0

    async def complete(self, call: ChatCall) -> Answer:
        self._begin(call)
        scripted = self.answers[call.offer.model]
        if isinstance(scripted, Stop):
            await scripted.wait()
            scripted = whole_answer()
        if isinstance(scripted, Exception):
            raise scripted
        return msgspec.structs.replace(scripted, body=_named(scripted.body, call))

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(self.drops.get(offer.provider, frozenset()).intersection(names)))

    async def stream(self, call: ChatCall) -> "ScriptedStream":
        self._begin(call)
        if call.offer.model in self.slow_heads:
            await self.slow_heads[call.offer.model].wait()
        return ScriptedStream(self.streams[call.offer.model], call, self._note_closed)

    def _note_closed(self) -> None:
        self.closed += 1

    def _begin(self, call: ChatCall) -> None:
        self.calls.append(call)
        if call.offer.provider in self.down:
            raise failure(fails_over=True)


class ScriptedStream:
    """Plays its steps, one a call of `next`."""

    def __init__(self, steps: Iterable[Step], call: ChatCall, on_close: Callable[[], None]) -> None:
        self._steps = iter(steps)
        self._call = call
        self._on_close = on_close
        self._is_closed = False

    async def next(self) -> Sequence[Chunk] | None:
        for step in self._steps:
            if isinstance(step, Stop):
                await step.wait()
            elif isinstance(step, ProviderFailure):
                raise step
            else:
                data = _named(step.data, self._call) if step.data else b""
                return [msgspec.structs.replace(step, data=data)]
        return None

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._on_close()


def whole_answer(
    text: str = "Hello!", usage: Usage | None = None, finish_reason: str = "stop", **message: Any
) -> Answer:
    """10 tokens in, 5 out, unless told otherwise."""
    counts = USAGE if usage is None else usage
    body = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "x",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
    }
    return Answer(
        body=msgspec.json.encode(body),
        usage=counts,
        raw_usage=raw_usage(counts),
        finish_reason=finish_reason,
        provider_generation_id="chatcmpl-upstream",
        output_bytes=len(text),
    )


def text_chunk(text: str) -> Chunk:
    return Chunk(data=_chunk_body({"content": text}, None), output_bytes=len(text))


def bare_chunk() -> Chunk:
    """Of a stream that has opened and says nothing yet: a role."""
    return Chunk(data=_chunk_body({"role": "assistant", "content": ""}, None), is_bare=True)


def last_chunk(finish_reason: str = "stop") -> Chunk:
    return Chunk(data=_chunk_body({}, finish_reason), is_last=True, finish_reason=finish_reason)


def usage_chunk(usage: Usage | None = None) -> Chunk:
    counts = USAGE if usage is None else usage
    return Chunk(data=b"", usage=counts, raw_usage=raw_usage(counts))


def streamed_answer(*texts: str) -> list[Step]:
    return [*map(text_chunk, texts), last_chunk(), usage_chunk()]


def raw_usage(counts: Usage) -> bytes:
    prompt, completion = counts.get("input", 0), counts.get("output", 0)
    return msgspec.json.encode(
        {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    )


def failure(
    error_class: str = "server_error",
    status: int = 500,
    *,
    fails_over: bool = True,
    explanation: Explanation | None = None,
    words: str = "",
    retry_after_s: int | None = None,
    unread_bytes: int = 0,
) -> ProviderFailure:
    attempt = Attempt(provider="acme", error_class=error_class, status=status)
    return ProviderFailure(
        attempt,
        fails_over=fails_over,
        explanation=explanation,
        words=words,
        retry_after_s=retry_after_s,
        unread_bytes=unread_bytes,
    )


def _chunk_body(delta: dict[str, Any], finish_reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "x", "choices": [choice]}
    return msgspec.json.encode(chunk)


def _named(body: bytes, call: ChatCall) -> bytes:
    """Our id and the canonical model in place, as every dialect does it."""
    decoded = msgspec.json.decode(body)
    ours = {"id": call.generation_id, "model": call.offer.model, "provider": call.offer.provider}
    return msgspec.json.encode({**decoded, **ours})
