"""Call a provider for a stream, until its first output or until its client has been gone for too long."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from application.generate.call_providers import TIMED_OUT, TRUNCATED, failure_of
from application.generate.weigh_silence import WhenGone
from application.ports.chat_providers import ChatCall, ChatProviders, ProviderStream
from application.ports.provider_answer import Chunk
from domain.pricing.usage import output_tokens

MAX_OPENING_CHUNKS = 64
"""Chunks without output (a role, empty texts) before the first with output. After so many the answer has begun."""


class OpenedStream(msgspec.Struct):
    """A provider's stream after its first output: from here on, no other provider is tried.

    stream:    None if it was left without output: the client had gone, and `read_on_s` passed.
    began_s:   the Clock's `elapsed_s` when the provider was called.
    """

    stream: ProviderStream | None
    first: Sequence[Chunk]
    began_s: float

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()


async def open_stream(
    providers: ChatProviders, elapsed_s: Callable[[], float], read_on_s: float, when_gone: WhenGone, call: ChatCall
) -> OpenedStream:
    """Call `call.offer`. If the client goes before the first output, read on for `read_on_s`, as if it goes later; then
    leave the stream without output, and try no other provider.

    Raises: ProviderFailure.
    """
    first: list[Chunk] = []
    opened = OpenedStream(None, first, elapsed_s())
    has_begun = False
    try:
        async with asyncio.timeout(call.timeout_s) as limit:
            latest = limit.when() or 0.0
            when_gone(partial(_hurry, limit, opened.began_s + call.timeout_s - read_on_s))
            opened.stream = await providers.stream(call)
            while not _has_begun(first):
                chunks = await opened.stream.next()
                if chunks is None:
                    raise failure_of(call.offer, TRUNCATED)
                first += chunks
        has_begun = True
    except TimeoutError:
        if (limit.when() or 0.0) >= latest:
            raise failure_of(call.offer, TIMED_OUT) from None
    finally:
        when_gone(_let_go)
        if not has_begun:
            opened.close()
            opened.stream = None
    return opened


def _hurry(limit: asyncio.Timeout, unhurried_s: float, gone_s: float) -> None:
    """Shorten `limit` when the client goes. unhurried_s: if it goes then or later, nothing changes."""
    sooner_s = unhurried_s - gone_s
    if sooner_s > 0:
        limit.reschedule((limit.when() or 0.0) - sooner_s)


def _let_go(gone_s: float) -> None:
    """Between two calls of providers there is no limit to shorten."""


def _has_begun(chunks: Sequence[Chunk]) -> bool:
    """Whether there is output, or an end: until then nothing was produced, and another provider may be tried."""
    return len(chunks) > MAX_OPENING_CHUNKS or any(
        (chunk.data and not chunk.is_bare) or chunk.is_last or output_tokens(chunk.usage or {}) > 0 for chunk in chunks
    )
