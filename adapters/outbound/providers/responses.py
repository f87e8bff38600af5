"""Read HTTP responses of providers: bounded, checked, and refused with the right failure."""

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import httpx

from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass, ToldError
from adapters.outbound.providers.route import Route
from adapters.outbound.providers.watch import Watch

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""As large as the largest request we take: 4,096 tokens are 16 KiB, several images in base64 fit."""

MAX_STREAM_BYTES = 256 * 1024 * 1024
"""128,000 tokens at one event of 300 bytes each are 40 MB; n choices of them still fit."""

MAX_ERROR_BYTES = 64 * 1024
"""An error is a sentence; what is longer is a web page, and its start will do."""

MAX_RETRY_AFTER_S = 3_600

JSON = "application/json"
EVENT_STREAM = "text/event-stream"


async def require_answer(response: httpx.Response, media_type: str, watch: Watch, route: Route) -> None:
    """Let a 200 of the right media type pass. Raises ProviderFailure or BrokenAnswer otherwise."""
    watch.status = response.status_code
    if response.status_code != httpx.codes.OK:
        told = await _told(response, route)
        raise watch.refusal(told, _retry_after_s(response))
    sent = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent == media_type:
        return
    if sent == JSON:  # instead of a stream: OpenRouter sends an error object with status 200
        told = await _told(response, route)
        if told != ToldError():
            raise BrokenAnswer(ErrorClass.ERROR_IN_ANSWER, told)
    raise BrokenAnswer(ErrorClass.WRONG_CONTENT_TYPE)


def parts_of(response: httpx.Response) -> aclosing[AsyncGenerator[bytes]]:
    """The body as it comes, decompressed; the reader is closed with the block, not whenever it is collected.

    What nobody compressed is taken from the transport itself: httpx would hand it through two more generators, each of
    which costs every part of every stream.
    """
    plain = "content-encoding" not in response.headers
    parts = aiter(cast(httpx.AsyncByteStream, response.stream)) if plain else response.aiter_bytes()
    return aclosing(cast(AsyncGenerator[bytes], parts))


async def read_whole(response: httpx.Response) -> bytes:
    """The body. Raises BrokenAnswer answer_too_large."""
    found: list[bytes] = []
    size = 0
    async with parts_of(response) as parts:
        async for part in parts:
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                raise BrokenAnswer(ErrorClass.ANSWER_TOO_LARGE)
            found.append(part)
    return b"".join(found)


async def _told(response: httpx.Response, route: Route) -> ToldError:
    start = bytearray()
    async with parts_of(response) as parts:
        async for part in parts:
            start += part
            if len(start) > MAX_ERROR_BYTES:
                break
    return route.dialect.read_error(bytes(start))


def _retry_after_s(response: httpx.Response) -> int | None:
    """Whole seconds, rounded up. The header's other form, a date, is not sent by any provider known."""
    try:
        asked_s = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(math.ceil(asked_s), MAX_RETRY_AFTER_S) if 0 <= asked_s < math.inf else None
