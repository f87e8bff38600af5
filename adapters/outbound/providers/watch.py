"""One attempt at one provider: its duration, its status, and every error as a ProviderFailure."""

import re
from time import monotonic

import msgspec

from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.failures import (
    BrokenAnswer,
    ErrorClass,
    ProviderError,
    failure_of_answer,
    failure_of_status,
    failure_of_transport,
)
from adapters.outbound.providers.http1.faults import ConnectFailed, HttpFault, MalformedResponse
from application.ports.provider_failure import ProviderFailure

MAX_MESSAGE_CHARACTERS = 2_000
"""Of a provider's message to the client: room for many sentences. A longer message is cut."""

MAX_WORD_CHARACTERS = 200
"""Of a field's name or a code."""

UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""Raised where a provider's bytes cannot be decoded, or the decoded values cannot be encoded again."""

_MARKUP = re.compile(r"<!doctype|<html|<head|<body", re.IGNORECASE)

TRANSPORT_CLASSES: tuple[tuple[type[BaseException], ErrorClass], ...] = (
    (ConnectFailed, ErrorClass.CONNECT_FAILED),
    (MalformedResponse, ErrorClass.MALFORMED_ANSWER),
    (TimeoutError, ErrorClass.TIMED_OUT),
)
"""The first match counts; any other error broke an established connection."""


class Watch:
    """`status` is the HTTP status, 0 until there is one."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.status = 0
        self._provider = endpoint.provider
        self._api_key = endpoint.api_key
        self._started = monotonic()

    def refusal(self, error: ProviderError, retry_after_s: int | None) -> ProviderFailure:
        """The failure that `status` means, with the provider's own words where they concern the client."""
        return failure_of_status(
            self._provider, self.status, self._duration_ms(), self._without_key(error), retry_after_s
        )

    def __enter__(self) -> None:
        """Turn each error of the block into a ProviderFailure; let cancellation pass."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BrokenAnswer):
            error.error = self._without_key(error.error)
            raise failure_of_answer(self._provider, error, self.status, self._duration_ms()) from error
        if isinstance(error, UNREADABLE):
            unreadable = BrokenAnswer(ErrorClass.MALFORMED_ANSWER)
            raise failure_of_answer(self._provider, unreadable, self.status, self._duration_ms()) from error
        if isinstance(error, TimeoutError | HttpFault):
            raise failure_of_transport(self._provider, _class_of(error), self.status, self._duration_ms()) from error

    def _duration_ms(self) -> int:
        return round((monotonic() - self._started) * 1000)

    def _without_key(self, error: ProviderError) -> ProviderError:
        """Cut to the bounds, without web pages, and without our key, which a provider may quote."""
        message = "" if _MARKUP.search(error.message) else self._clean(error.message, MAX_MESSAGE_CHARACTERS)
        param = None if error.param is None else self._clean(error.param, MAX_WORD_CHARACTERS)
        return error._replace(message=message, param=param, code=self._clean(error.code, MAX_WORD_CHARACTERS))

    def _clean(self, text: str, limit: int) -> str:
        """Printable; line breaks stay. (Half a surrogate pair is replaced: UTF-8 cannot encode it.)"""
        hidden = text.replace(self._api_key, "[key]") if self._api_key else text
        return "".join(one if one.isprintable() or one in "\n\t" else "?" for one in hidden[:limit])


def _class_of(error: Exception) -> ErrorClass:
    return next((known for kind, known in TRANSPORT_CLASSES if isinstance(error, kind)), ErrorClass.CONNECTION_BROKEN)
