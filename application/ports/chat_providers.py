"""The providers of chat completions."""

from collections.abc import Iterable, Sequence
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


class ProviderStream(Protocol):
    """The chunks of one answer, as they arrive. Who has it closes it."""

    async def next(self) -> Sequence[Chunk] | None:
        """Chunks that arrived together, at least one, so that costs per read occur once; None at the end. There is no
        deadline: to stop waiting, cancel the caller. Raises: ProviderFailure, after the chunks that came before it."""
        ...

    def close(self) -> None:
        """Let go of the connection; it is used again only if the answer was read to its end. Repeatable."""
        ...


class ChatProviders(Protocol):
    """Calls offers. `complete` and `stream` raise ProviderFailure; neither retries."""

    async def complete(self, call: ChatCall) -> Answer: ...

    async def stream(self, call: ChatCall) -> ProviderStream:
        """Send the request and wait for its headers, until the deadline. If it raises, nothing is left open."""
        ...

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        """Those of `names` that are not sent to this offer's provider, sorted."""
        ...
