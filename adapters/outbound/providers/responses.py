"""Read HTTP responses of providers within bounds, check them, and refuse with the right failure."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass, ProviderError
from adapters.outbound.providers.http1.faults import ResponseTooLarge
from adapters.outbound.providers.http1.response import Response
from adapters.outbound.providers.route import Route
from adapters.outbound.providers.watch import Watch

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""As large as the largest request we take: 4,096 tokens are 16 KiB; several images in base64 fit."""

MAX_STREAM_BYTES = 256 * 1024 * 1024
"""128,000 tokens at one event of 300 bytes each are 40 MB; several choices of that size still fit."""

MAX_ERROR_BYTES = 64 * 1024
"""An error is a sentence. A longer body is a web page; its start is enough."""

MAX_RETRY_AFTER_S = 3_600

JSON = "application/json"
EVENT_STREAM = "text/event-stream"


async def require_answer(response: Response, watch: Watch, route: Route, *media_types: str) -> str:
    """The media type of a response with status 200 and one of `media_types`.

    Raises: ProviderFailure or BrokenAnswer for any other response.
    """
    watch.status = response.status
    if response.status != 200:
        error = await _error_of(response, route) if _is_plain(response) else ProviderError()
        raise watch.refusal(error, _retry_after_s(response))
    if not _is_plain(response):
        raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER)
    sent = _header(response, b"content-type").partition(";")[0].strip().lower()
    if sent not in media_types:
        raise BrokenAnswer(ErrorClass.WRONG_CONTENT_TYPE)
    return sent


def _is_plain(response: Response) -> bool:
    """We ask for no encoding and unpack none: a few KB may unpack to gigabytes."""
    return _header(response, b"content-encoding", "identity").lower() in ("", "identity")


async def read_whole(response: Response) -> bytes:
    """The body. Raises BrokenAnswer answer_too_large."""
    try:
        return await response.whole(MAX_ANSWER_BYTES)
    except ResponseTooLarge as error:
        raise BrokenAnswer(ErrorClass.ANSWER_TOO_LARGE, unread_bytes=error.received_bytes) from error


async def _error_of(response: Response, route: Route) -> ProviderError:
    """From the start of the body."""
    start = bytearray()
    while len(start) <= MAX_ERROR_BYTES and (part := await response.part()):
        start += part
    return route.dialect.read_error(bytes(start))


def _header(response: Response, name: bytes, default: str = "") -> str:
    value = response.headers.get(name)
    return default if value is None else value.decode("latin-1").strip()


def _retry_after_s(response: Response) -> int | None:
    """Whole seconds, rounded up. The header is a number of seconds or a date (RFC 9110, 10.2.3)."""
    asked = _header(response, b"retry-after")
    try:
        asked_s = float(asked)
    except ValueError:
        asked_s = _seconds_until(asked)
    return min(math.ceil(asked_s), MAX_RETRY_AFTER_S) if 0 <= asked_s < math.inf else None


def _seconds_until(date: str) -> float:
    """Infinite if `date` is not a date."""
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return math.inf
    now = datetime.now(UTC)
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp())
