"""ChatProviders in shares: no account takes every connection to a provider, and a full pool is our own refusal."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from application.ports import Answer, ChatCall, ChatProviders, Chunk
from domain.catalog.offer import Offer
from domain.errors import DomainError


class SharedProviders:
    """places:   calls of one provider under way at a time.
    share:    of them, for one account.
    """

    def __init__(self, inner: ChatProviders, places: int, share: float) -> None:
        self._inner = inner
        self._places = places
        self._of_account = max(1, int(places * share))
        self._calls: Counter[str] = Counter()
        self._calls_of: Counter[tuple[str, str]] = Counter()

    async def complete(self, call: ChatCall) -> Answer:
        """Raises also: DomainError overloaded, without a call."""
        with self._place(call):
            return await self._inner.complete(call)

    @asynccontextmanager
    async def stream(self, call: ChatCall) -> AsyncIterator[AsyncIterator[Sequence[Chunk]]]:
        with self._place(call):
            async with self._inner.stream(call) as chunks:
                yield chunks

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        return self._inner.dropped(offer, names)

    @contextmanager
    def _place(self, call: ChatCall) -> Iterator[None]:
        provider, of_account = call.offer.provider, (call.offer.provider, call.account_id)
        if self._calls[provider] >= self._places or self._calls_of[of_account] >= self._of_account:
            raise DomainError("overloaded")
        self._calls[provider] += 1
        self._calls_of[of_account] += 1
        try:
            yield
        finally:
            self._calls[provider] -= 1
            self._calls_of[of_account] -= 1
            if not self._calls_of[of_account]:
                del self._calls_of[of_account]
