"""The models of the sandbox, by native id: one row each. sandbox.toml offers every one of them."""

from collections.abc import Callable, Mapping

import msgspec

from adapters.embedded.sandbox import usage_claims
from adapters.embedded.sandbox.usage_claims import UsageClaim


class RefusalOfModel(msgspec.Struct, frozen=True, kw_only=True):
    """An error status instead of an answer."""

    status: int
    message: str
    param: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """How one model answers. The default answers well.

    delay_s:        before the first byte.
    usage:          the usage it claims.
    usage_delay_s:  between finish_reason and the usage chunk of a stream.
    spoil:          changes the body, or the second event of a stream, before sending.
    cut_after:      tokens of a stream after which the connection is dropped; a whole body is cut half-way.
    error_after:    tokens of a stream after which an error event ends it; a whole answer is an error under status 200.
    content_type:   replaces the right one.
    is_endless:     never ends a body or an event.
    """

    refusal: RefusalOfModel | None = None
    delay_s: float = 0.0
    usage: UsageClaim = usage_claims.honest
    usage_delay_s: float = 0.0
    spoil: Callable[[bytes], bytes] | None = None
    cut_after: int | None = None
    error_after: int | None = None
    content_type: bytes | None = None
    is_endless: bool = False


def _without_end(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _with_a_stray_byte(body: bytes) -> bytes:
    return body.replace(b'"content":"', b'"content":"\xff', 1)


GOOD = Behaviour()

BEHAVIOURS: Mapping[str, Behaviour] = {
    "echo": GOOD,
    "per-request": GOOD,
    "free": GOOD,
    "unpriced": GOOD,
    "slow": Behaviour(delay_s=2.0),
    "no-usage": Behaviour(usage=usage_claims.missing),
    "negative-usage": Behaviour(usage=usage_claims.negative),
    "nan-usage": Behaviour(usage=usage_claims.not_a_number),
    "huge-usage": Behaviour(usage=usage_claims.huge),
    "late-usage": Behaviour(usage_delay_s=0.3),
    "cut": Behaviour(cut_after=2),
    "endless": Behaviour(is_endless=True),
    "malformed": Behaviour(spoil=_without_end),
    "bad-utf8": Behaviour(spoil=_with_a_stray_byte),
    "html": Behaviour(content_type=b"text/html"),
    "error-mid-stream": Behaviour(error_after=2),
    "error-500": Behaviour(refusal=RefusalOfModel(status=500, message="The server had an error.")),
    "error-503": Behaviour(refusal=RefusalOfModel(status=503, message="The engine is overloaded.")),
    "bad-request": Behaviour(
        refusal=RefusalOfModel(status=400, message="Unsupported value: 'temperature'.", param="temperature")
    ),
    "unauthorized": Behaviour(refusal=RefusalOfModel(status=401, message="Incorrect API key provided.")),
    "not-found": Behaviour(refusal=RefusalOfModel(status=404, message="The model does not exist.")),
    "rate-limited": Behaviour(
        refusal=RefusalOfModel(status=429, message="Rate limit reached.", headers=((b"retry-after", b"7"),))
    ),
    "redirect": Behaviour(
        refusal=RefusalOfModel(status=307, message="Moved.", headers=((b"location", b"/v1/chat/completions"),))
    ),
}
