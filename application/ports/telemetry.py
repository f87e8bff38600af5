"""What operators see of requests."""

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from domain.credit.events import Attempt


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was refused or failed. `message` is what the client gets; the rest identifies the request, as far
    as it was read."""

    code: str
    status: int
    message: str
    request_id: str
    method: str = ""
    path: str = ""
    generation_id: str = ""


class Telemetry(Protocol):
    """Spans and counters of the request path. Never sees prompt or answer text, nor a secret."""

    def join(self, traceparent: str) -> None:
        """Put the spans of the running task into the trace that the client's `traceparent` header names."""
        ...

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]:
        """One of "reserve", "provider call", "settle" for the request `correlation_id`."""
        ...

    def settled(self, model: str, provider: str, paid_nusd: int, *, estimated: bool, streamed: bool) -> None: ...

    def refused(self, refusal: Refusal) -> None:
        """A request that was refused, or failed after its answer had begun."""
        ...

    def provider_failed(self, model: str, generation_id: str, attempt: Attempt) -> None:
        """A provider did not answer, or broke off. Not called if it refused the request itself."""
        ...

    def fell_short(self, account_id: str, amount_nusd: int, owed_nusd: int) -> None:
        """`amount_nusd` of a charge found no credit; `owed_nusd` is the account's debt now, including it."""
        ...
