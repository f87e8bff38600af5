"""ChatProviders with a share per account: none takes all connections to a provider; a full pool is our own refusal."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from application.ports.chat_providers import ChatCall, ChatProviders, ProviderStream
from application.ports.provider_answer import Answer
from domain.catalog.offer import Offer
from domain.errors import DomainError


class SharedProviders:
    """places:   most concurrent calls of one provider.
    share:    the part of `places` that one account may take.
    """

    def __init__(self, inner: ChatProviders, places: int, share: float) -> None:
        self._inner = inner
        self._places = places
        self._of_account = max(1, int(places * share))
        self._calls: defaultdict[str, int] = defaultdict(int)
        self._calls_of: defaultdict[tuple[str, str], int] = defaultdict(int)

    async def complete(self, call: ChatCall) -> Answer:
        """Raises also: DomainError overloaded; then no call was made."""
        self._enter(call)
        try:
            return await self._inner.complete(call)
        finally:
            self._leave(call)

    async def stream(self, call: ChatCall) -> "SharedStream":
        """Raises as complete."""
        self._enter(call)
        try:
            return SharedStream(await self._inner.stream(call), partial(self._leave, call))
        except BaseException:
            self._leave(call)
            raise

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        return self._inner.dropped(offer, names)

    def _enter(self, call: ChatCall) -> None:
        """Raises: DomainError overloaded."""
        of_account = (call.offer.provider, call.account_id)
        all_calls, its_calls = self._calls[of_account[0]], self._calls_of[of_account]
        if all_calls >= self._places or its_calls >= self._of_account:
            raise DomainError("overloaded")
        self._calls[of_account[0]] = all_calls + 1
        self._calls_of[of_account] = its_calls + 1

    def _leave(self, call: ChatCall) -> None:
        of_account = (call.offer.provider, call.account_id)
        self._calls[of_account[0]] -= 1
        self._calls_of[of_account] -= 1
        if not self._calls_of[of_account]:
            del self._calls_of[of_account]


class SharedStream:
    """A stream that holds its place until it is closed."""

    def __init__(self, inner: ProviderStream, leave: Callable[[], None]) -> None:
        self._inner = inner
        self._leave: Callable[[], None] | None = leave
        self.next = inner.next

    def close(self) -> None:
        self._inner.close()
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
