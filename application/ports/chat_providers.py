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

    members:        members of the client's body in their order: names decoded, values byte for byte.
    generation_id:  our id, `gen-<uuid7>`, spliced into the answer.
    account_id:     the account that pays, for shares of a provider; never sent.
    max_tokens:     output tokens granted per choice: rewritten in the field the client used, or injected.
    timeout_s:      until the request's deadline; the reader of a stream bounds the wait for its chunks.
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

        Chunks that arrived together are yielded together, never an empty batch, so that costs per read occur once. The
        deadline bounds entering; to stop waiting for chunks, cancel the reader.
        """
        ...

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that are not sent to this offer's provider, sorted."""
        ...
