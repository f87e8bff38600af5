"""The providers of chat completions."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec
from msgspec import Raw

from application.ports.provider_answer import Answer, Chunk
from domain.catalog.offer import Offer


class ChatCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call of one offer.

    members:        of the client's body in their order, names decoded, values as they came.
    generation_id:  ours, `gen-<uuid7>`, spliced into what comes back.
    account_id:     who pays, for shares of a provider; never sent.
    max_tokens:     output tokens granted per choice: rewritten in the field the client used, or injected.
    timeout_s:      until the request's deadline; a stream's chunks are waited for by whoever reads them.
    """

    offer: Offer
    members: Sequence[tuple[str, Raw]]
    generation_id: str
    max_tokens: int
    timeout_s: float
    account_id: str = ""


class ChatProviders(Protocol):
    """Calls offers. `complete` and `stream` raise ProviderFailure; neither retries."""

    async def complete(self, call: ChatCall) -> Answer: ...

    def stream(self, call: ChatCall) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Chunk]]]:
        """Entering sends the request and waits for its headers; leaving closes the connection.

        Chunks that arrived together come together, never none: what costs per read then costs once. The deadline bounds
        entering; a reader that has waited long enough is cancelled.
        """
        ...

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        """Parameters of these `names` that this offer's provider is not sent, in order of their names."""
        ...
