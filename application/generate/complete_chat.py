"""Serve one chat completion whole: the answer leaves after its settle committed
(docs/explanation/architecture.md#the-life-of-a-request)."""

import msgspec

from application.generate.call_providers import CallProviders
from application.generate.held import Held, dropped_of
from application.generate.keep_answer import KeptAnswer, ReplayAnswer
from application.generate.metering.estimate_tokens import MeterAnswer
from application.generate.quote_offer import offers_for
from application.generate.request.read_chat_request import ChatRequest
from application.generate.reserve_credit import AlreadyServed, ReserveCredit
from application.generate.settle_charge import Outcome, Receipt, SettleCharge
from application.ports.catalog import Catalog
from application.ports.chat_providers import ChatProviders
from application.ports.clock import Clock
from application.ports.key_directory import Caller
from application.ports.provider_answer import Answer
from domain.errors import DomainError


class Completed(msgspec.Struct, frozen=True):
    """A settled whole answer, for the surface to write.

    body:        the provider's JSON, with no `usage` in it yet.
    raw_usage:   the provider's own JSON of its counts; None if it sent none.
    clamped_to:  output tokens granted, if fewer than asked.
    dropped:     parameters that were not sent to the provider that answered.
    """

    body: bytes
    raw_usage: bytes | None
    receipt: Receipt
    generation_id: str
    clamped_to: int | None = None
    dropped: tuple[str, ...] = ()


class CompleteChat:
    def __init__(
        self,
        catalog: Catalog,
        reserve: ReserveCredit,
        call_providers: CallProviders,
        settle: SettleCharge,
        meter: MeterAnswer,
        providers: ChatProviders,
        replay: ReplayAnswer,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._reserve = reserve
        self._call_providers = call_providers
        self._settle = settle
        self._meter = meter
        self._providers = providers
        self._replay = replay
        self._clock = clock

    async def __call__(self, caller: Caller, request: ChatRequest) -> Completed:
        """Raises: DomainError of any step; a refused request holds no credit."""
        check_may_generate(caller)
        offers = offers_for(self._catalog, request)
        try:
            held = await self._reserve(caller, request, *offers[0])
        except AlreadyServed as served:
            kept, receipt = await self._replay(caller, served)
            return _completed(kept, receipt)
        answer = await self._call_providers(held, offers, self._providers.complete)
        held.dropped = dropped_of(held, self._providers)
        return await self._settled(held, answer)

    async def _settled(self, held: Held, answer: Answer) -> Completed:
        kept = KeptAnswer(held.generation_id, [answer.body], answer.raw_usage, held.clamped_to, held.dropped)
        metered = await self._meter(
            held, answer.usage, answer.output_bytes, [answer.body], is_doubtful=answer.is_doubtful
        )
        outcome = Outcome(
            metered=metered,
            finish_reason=answer.finish_reason,
            provider_generation_id=answer.provider_generation_id,
            ttft_ms=round((self._clock.elapsed_s() - held.started_s) * 1_000),
            answer=kept.encode() if held.request.idempotency else None,
        )
        return _completed(kept, await self._settle(held, outcome))


def _completed(kept: KeptAnswer, receipt: Receipt) -> Completed:
    return Completed(
        body=kept.parts[0],
        raw_usage=kept.raw_usage,
        receipt=receipt,
        generation_id=kept.generation_id,
        clamped_to=kept.clamped_to,
        dropped=kept.dropped,
    )


def check_may_generate(caller: Caller) -> None:
    """Raises: DomainError management_key: such a key manages keys and cannot call models
    (docs/reference/rules.md#keys)."""
    if caller.kind == "management":
        raise DomainError("management_key")
