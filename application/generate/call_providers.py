"""Trying the offers of a model one after the other, under one reservation (docs/reference/rules.md#failover)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from application.generate.held import Held
from application.generate.metering.estimate_tokens import MeterAnswer
from application.generate.quote_offer import quote_offer
from application.generate.settle_charge import Outcome, SettleCharge
from application.ports.chat_providers import ChatCall
from application.ports.clock import Clock
from application.ports.ledger import Ledger
from application.ports.provider_failure import ProviderFailure
from application.ports.telemetry import Telemetry
from domain.catalog.offer import Offer
from domain.command_ids import step_id
from domain.credit.commands import ExtendReservation, RecordAttempt, Unpaid
from domain.credit.decider import CREDIT
from domain.credit.events import Attempt
from domain.errors import DomainError
from domain.money import format_usd
from domain.pricing.price import PriceSet

T = TypeVar("T")

MAX_OFFERS = 5
"""Offers tried for one request: more would outlast any client's patience."""


class CallProviders:
    def __init__(
        self, ledger: Ledger, clock: Clock, settle: SettleCharge, meter: MeterAnswer, telemetry: Telemetry
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._settle = settle
        self._meter = meter
        self._telemetry = telemetry

    async def __call__(
        self, held: Held, offers: Sequence[tuple[Offer, PriceSet]], call: Callable[[ChatCall], Awaitable[T]]
    ) -> T:
        """Answer of the first offer that gives one; `held` then names that offer. The ledger keeps each failure.

        Raises: DomainError provider_refused_request, provider_rate_limited, deadline_exceeded, provider_error, and
                overloaded if there is no room for the call (not a provider's failure, so no other offer is tried):
                after the reservation's release. answer_too_large: after its settle.
        """
        chain = list(offers[:MAX_OFFERS])
        while True:
            held.offer, held.prices = chain.pop(0)
            try:
                with self._telemetry.span("provider call", held.reservation_id):
                    return await call(self._call_of(held))
            except DomainError as ours:
                await self._settle.release(held, ours.code)
                raise
            except ProviderFailure as failure:
                self.report(held, failure)
                await self._give_up_or_go_on(held, failure, chain)

    def report(self, held: Held, failure: ProviderFailure) -> None:
        """Report the failure to operators, unless the provider refused the request itself."""
        if failure.explanation is None:
            self._telemetry.provider_failed(held.offer.model, held.generation_id, failure.attempt)

    def _call_of(self, held: Held) -> ChatCall:
        return ChatCall(
            offer=held.offer,
            members=held.request.members,
            generation_id=held.generation_id,
            account_id=held.caller.account_id,
            max_tokens=held.granted_tokens,
            timeout_s=max(0.001, (held.deadline_at - self._clock.now()).total_seconds()),
        )

    async def _give_up_or_go_on(
        self, held: Held, failure: ProviderFailure, chain: list[tuple[Offer, PriceSet]]
    ) -> None:
        """Leave the first affordable fallback at the front of `chain`, or end the reservation and raise."""
        if failure.unread_bytes:
            raise await self._settled_unread(held, failure)
        if failure.fails_over and chain and self._clock.now() < held.deadline_at:
            await self._record(held, failure)
            while chain and not await self._fits(held, *chain[0]):
                chain.pop(0)
            if chain:
                return
        await self._settle.release(held, failure.attempt.error_class, failure.attempt, _unpaid(held, failure))
        raise refusal_of(failure, held.generation_id)

    async def _settled_unread(self, held: Held, failure: ProviderFailure) -> DomainError:
        """Charge an answer that is too large to pass on; returns the client's error."""
        metered = await self._meter(held, None, failure.unread_bytes, [])
        outcome = Outcome(metered=metered, error_class=failure.attempt.error_class)
        receipt = await self._settle(held, outcome)
        return DomainError(
            "answer_too_large",
            generation_id=held.generation_id,
            provider=failure.attempt.provider,
            error_class=failure.attempt.error_class,
            upstream_status=failure.attempt.status,
            cost_usd=format_usd(receipt.settled.paid_nusd),
        )

    async def _record(self, held: Held, failure: ProviderFailure) -> None:
        await self._ledger.transact(
            CREDIT,
            held.caller.account_id,
            RecordAttempt(at=self._clock.now(), reservation_id=held.reservation_id, attempt=failure.attempt),
            command_id=step_id(held.reservation, f"attempt {held.offer.provider} {held.offer.native_id}"),
            correlation_id=held.reservation,
        )

    async def _fits(self, held: Held, offer: Offer, prices: PriceSet) -> bool:
        """Whether the reservation covers the fallback's worst case, extended if needed and affordable."""
        amount = quote_offer(held.request, offer, prices).amount_for(held.granted_tokens)
        if amount <= held.reserved_nusd:
            return True
        try:
            await self._ledger.transact(
                CREDIT,
                held.caller.account_id,
                ExtendReservation(
                    at=self._clock.now(),
                    reservation_id=held.reservation_id,
                    amount_nusd=amount,
                    key_limit=held.caller.limit,
                    burnable=held.reserve.burnable,
                ),
                command_id=step_id(held.reservation, f"extend {offer.provider} {offer.native_id}"),
                correlation_id=held.reservation,
            )
        except DomainError as refusal:
            if refusal.code == "extension_unaffordable":
                return False
            raise
        held.reserved_nusd = amount
        return True


def _unpaid(held: Held, failure: ProviderFailure) -> Unpaid | None:
    """A provider that we stopped waiting for worked until the deadline, so it may charge all that was reserved."""
    attempt = failure.attempt
    if attempt.error_class == TIMED_OUT and attempt.status in STATUSES_OF_SILENCE:
        return Unpaid(held.reserved_nusd, "timed_out")
    return None


STATUSES_OF_SILENCE = (0, 200)
"""No headers yet, or those of an answer. A provider that gives up by itself sends another status."""

TIMED_OUT, TRUNCATED, TOO_LARGE = "timed_out", "truncated_stream", "answer_too_large"
"""Error classes that the providers' adapter uses too: for failures there, as the use cases for failures here."""


def refusal_of(failure: ProviderFailure, generation_id: str) -> DomainError:
    """The client's error. A provider's own 401, 402, 403 or 404 is our problem, not the client's: 502."""
    attempt = failure.attempt
    facts: dict[str, object] = {
        "generation_id": generation_id,
        "provider": attempt.provider,
        "error_class": attempt.error_class,
        "upstream_status": attempt.status,
    }
    if failure.explanation is not None:
        explanation = failure.explanation
        facts |= {"message": explanation.message, "param": explanation.param, "provider_code": explanation.code}
        if explanation.is_about_length:
            return DomainError("context_length_exceeded", **facts)
        return DomainError("provider_refused_request", **facts)
    if attempt.status == 429:
        return DomainError("provider_rate_limited", retry_after_s=failure.retry_after_s or 1, **facts)
    if attempt.error_class == TIMED_OUT:
        return DomainError("deadline_exceeded", **facts)
    if failure.retry_after_s is not None:
        facts["retry_after_s"] = failure.retry_after_s
    return DomainError("provider_error", **facts)


def failure_of(offer: Offer, error_class: str) -> ProviderFailure:
    attempt = Attempt(provider=offer.provider, error_class=error_class)
    return ProviderFailure(attempt, fails_over=True, retry_after_s=1 if error_class == TRUNCATED else None)
