"""A request with its worst case reserved: the state that the steps after reserve share."""

from datetime import datetime
from uuid import UUID

import msgspec

from application.generate.request.read_chat_request import ChatRequest
from application.ports.chat_providers import ChatProviders
from application.ports.key_directory import Caller
from domain.catalog.offer import Offer
from domain.credit.commands import Reserve
from domain.pricing.price import PriceSet
from domain.window import KeyLimit


class Held(msgspec.Struct, kw_only=True):
    """An open reservation and the request it is for. `offer` and `reserved_nusd` change when a fallback is taken.

    reservation:   also the correlation id of everything that follows; `gen-<reservation>` is the generation's id.
    started_s:     the Clock's `elapsed_s` when the request came in, for latencies.
    dropped:       parameters that were not sent to the provider that answered.
    reserve:       the command that made the reservation; a late settle repeats it.
    """

    caller: Caller
    request: ChatRequest
    reservation: UUID
    offer: Offer
    prices: PriceSet
    granted_tokens: int
    reserved_nusd: int
    reserve: Reserve
    started_s: float
    deadline_at: datetime
    position: int
    dropped: tuple[str, ...] = ()

    @property
    def reservation_id(self) -> str:
        return self.reserve.reservation_id

    @property
    def generation_id(self) -> str:
        return "gen-" + self.reservation_id

    @property
    def key_limit(self) -> KeyLimit | None:
        return self.caller.limit

    @property
    def clamped_to(self) -> int | None:
        """The output tokens granted, if they are fewer than the request could have had."""
        asked = self.reserve.quote.requested_tokens
        return self.granted_tokens if self.granted_tokens < asked else None


def dropped_of(held: Held, providers: ChatProviders) -> tuple[str, ...]:
    """Names of what the client sent and the provider that answered did not get, to report to the client."""
    request = held.request
    return (*request.cut, *providers.dropped(held.offer, [name for name, _ in request.members]))
