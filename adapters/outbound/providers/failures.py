"""All failures of a provider: their class, and whether the next provider may be tried
(docs/reference/rules.md#failover)."""

import re
from enum import StrEnum
from typing import NamedTuple

from application.ports.provider_failure import Explanation, ProviderFailure
from domain.credit.events import Attempt


class ErrorClass(StrEnum):
    """The class that the ledger keeps of a failed attempt (docs/reference/providers.md)."""

    CONNECT_FAILED = "connect_failed"
    CONNECTION_BROKEN = "connection_broken"
    TIMED_OUT = "timed_out"
    UNAUTHORIZED = "unauthorized"
    PAYMENT_REQUIRED = "payment_required"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    REQUEST_REFUSED = "request_refused"
    SERVER_ERROR = "server_error"
    UNEXPECTED_STATUS = "unexpected_status"
    WRONG_CONTENT_TYPE = "wrong_content_type"
    MALFORMED_ANSWER = "malformed_answer"
    ANSWER_TOO_LARGE = "answer_too_large"
    EVENT_TOO_LARGE = "event_too_large"
    TRUNCATED_STREAM = "truncated_stream"
    ERROR_IN_ANSWER = "error_in_answer"
    EMPTY_ANSWER = "empty_answer"


class Verdict(NamedTuple):
    """What a status means. If the request itself is refused, the client gets the provider's words."""

    error_class: ErrorClass
    fails_over: bool = True
    is_clients_fault: bool = False


BY_STATUS: dict[int, Verdict] = {
    400: Verdict(ErrorClass.REQUEST_REFUSED, fails_over=False, is_clients_fault=True),
    401: Verdict(ErrorClass.UNAUTHORIZED),
    402: Verdict(ErrorClass.PAYMENT_REQUIRED),
    403: Verdict(ErrorClass.FORBIDDEN),
    404: Verdict(ErrorClass.NOT_FOUND),
    408: Verdict(ErrorClass.TIMED_OUT),
    413: Verdict(ErrorClass.REQUEST_REFUSED, fails_over=False, is_clients_fault=True),
    422: Verdict(ErrorClass.REQUEST_REFUSED, fails_over=False, is_clients_fault=True),
    429: Verdict(ErrorClass.RATE_LIMITED),
    504: Verdict(ErrorClass.TIMED_OUT),
}


TRANSIENT = frozenset(
    {
        ErrorClass.CONNECT_FAILED,
        ErrorClass.CONNECTION_BROKEN,
        ErrorClass.RATE_LIMITED,
        ErrorClass.SERVER_ERROR,
        ErrorClass.TRUNCATED_STREAM,
        ErrorClass.ERROR_IN_ANSWER,
        ErrorClass.EMPTY_ANSWER,
    }
)
"""The same call may succeed soon. A wrong key, an unknown model or an unreadable answer would come again; so would a
time-out, at the same cost."""

QUOTABLE = frozenset(ErrorClass) - {
    ErrorClass.UNAUTHORIZED,
    ErrorClass.PAYMENT_REQUIRED,
    ErrorClass.FORBIDDEN,
    ErrorClass.NOT_FOUND,
    ErrorClass.RATE_LIMITED,
}
"""Classes that keep the provider's words. For the others they are about the operator's account there: its key, its
money, its organisation."""

RETRY_AFTER_S = 1
"""Used if the provider names no time."""


def _worth_repeating(error_class: ErrorClass, asked_s: int | None = None) -> int | None:
    """Seconds after which the same call may succeed; None: never."""
    return (asked_s or RETRY_AFTER_S) if error_class in TRANSIENT else None


class ProviderError(NamedTuple):
    """A provider's own words. `status` is the HTTP status that its body names or implies, 0 if none."""

    message: str = ""
    param: str | None = None
    status: int = 0
    code: str = ""

    @property
    def is_about_length(self) -> bool:
        """Whether the prompt is too long for the model, under any name: clients then shorten it."""
        return self.code in TOO_LONG_CODES or _TOO_LONG.search(self.message) is not None

    def to_client(self) -> Explanation:
        return Explanation(self.message, self.param, self.code, is_about_length=self.is_about_length)


TOO_LONG_CODES = frozenset({"context_length_exceeded", "context_window_exceeded", "prompt_too_long"})
_TOO_LONG = re.compile(
    r"(prompt|input|request|messages?) (is|are|was) too long"
    r"|(maximum|model'?s?|exceed\w*( the)?) context (length|window|size)"
    r"|context (length|window|size) (is )?(exceeded|of only)"
    r"|exceed\w* (the )?(maximum|model'?s?)( allowed)? (context|number of (input )?tokens)"
    r"|exceed\w* (the )?(maximum|model'?s?)( allowed)? (prompt|input|token) (length|limit)"
    r"|too many (input |prompt )?tokens"
    r"|tokens? > \d+ maximum",
    re.IGNORECASE,
)
"""The wordings of OpenAI, Anthropic, Google, vLLM, Groq and others (checked 2026-11-27)."""


class BrokenAnswer(Exception):
    """The response is not an answer. The pure dialects raise it; they know neither provider nor clock.

    unread_bytes: bytes received of an answer or event that is too large to pass on.
    """

    def __init__(self, error_class: ErrorClass, error: ProviderError | None = None, *, unread_bytes: int = 0) -> None:
        super().__init__(error_class)
        self.error_class = error_class
        self.error = error or ProviderError()
        self.unread_bytes = unread_bytes


def verdict_on(status: int) -> Verdict:
    """What an HTTP status other than 200 means."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    if 500 <= status <= 599:
        return Verdict(ErrorClass.SERVER_ERROR)
    return Verdict(ErrorClass.UNEXPECTED_STATUS, fails_over=False)


def failure_of_status(
    provider: str, status: int, duration_ms: int, error: ProviderError, retry_after_s: int | None = None
) -> ProviderFailure:
    """The failure that a status means. It keeps the provider's words unless they are about the operator's account."""
    verdict = verdict_on(status)
    return ProviderFailure(
        Attempt(provider=provider, error_class=verdict.error_class.value, status=status, duration_ms=duration_ms),
        fails_over=verdict.fails_over,
        explanation=error.to_client() if verdict.is_clients_fault else None,
        words=error.message if verdict.error_class in QUOTABLE else "",
        retry_after_s=_worth_repeating(verdict.error_class, retry_after_s),
    )


def failure_of_answer(provider: str, broken: BrokenAnswer, status: int, duration_ms: int) -> ProviderFailure:
    """The failure of a response with HTTP `status` that is not an answer.

    An error object in it that names its own status is judged and recorded by that status. An answer that is too large
    was produced and must be paid for: the next provider would cost the same again.
    """
    if broken.error.status:
        return failure_of_status(provider, broken.error.status, duration_ms, broken.error)
    attempt = Attempt(provider=provider, error_class=broken.error_class.value, status=status, duration_ms=duration_ms)
    fails_over = broken.error_class not in TOO_LARGE
    retry_after_s = _worth_repeating(broken.error_class)
    return ProviderFailure(
        attempt,
        fails_over=fails_over,
        words=broken.error.message,
        retry_after_s=retry_after_s,
        unread_bytes=broken.unread_bytes,
    )


TOO_LARGE = frozenset({ErrorClass.ANSWER_TOO_LARGE, ErrorClass.EVENT_TOO_LARGE})


def failure_of_transport(provider: str, error_class: ErrorClass, status: int, duration_ms: int) -> ProviderFailure:
    """The failure of a connection; `status` is 0 if it broke before any status was received."""
    attempt = Attempt(provider=provider, error_class=error_class.value, status=status, duration_ms=duration_ms)
    return ProviderFailure(attempt, fails_over=True, retry_after_s=_worth_repeating(error_class))
