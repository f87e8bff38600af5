"""The second durable step: charge the actual, before the last byte leaves (P1)."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import msgspec

from application.generate.held import Held
from application.generate.kept_bytes import KeptBytes
from application.generate.metering.meter_answer import Metered
from application.ports.answers import StoredAnswer
from application.ports.clock import Clock
from application.ports.ledger import Ledger, Recorded, Waiting
from application.ports.personal_data import PersonalData
from application.ports.telemetry import Telemetry
from domain.command_ids import step_id
from domain.credit.commands import Release, Settle, Unpaid
from domain.credit.decider import CREDIT
from domain.credit.events import Attempt, Generation, Settled, ShortfallRecorded
from domain.errors import DomainError

MAX_STORED_BYTES = 1_000_000
"""An answer larger than this is not kept for retries; its charge still is (docs/reference/rules.md#idempotency)."""

MIN_SETTLE_PATIENCE_S = 5.0
"""Even an answer that came at its deadline gets this long to be settled."""


class Receipt(msgspec.Struct, frozen=True):
    """The ledger's record of a settled request; body, header, SSE and metrics all quote this (P6)."""

    settled: Settled
    position: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How the provider's part ended.

    unpaid:    what the provider presumably did beyond what is metered.
    is_billed: false if nothing was produced: then the reservation is released.
    answer:    what a retry with the same Idempotency-Key would get.
    """

    metered: Metered
    finish_reason: str = ""
    provider_generation_id: str = ""
    ttft_ms: int = 0
    cancelled: bool = False
    error_class: str = ""
    unpaid: Unpaid | None = None
    is_billed: bool = True
    answer: bytes | None = None


class SettleCharge:
    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        personal_data: PersonalData,
        telemetry: Telemetry,
        keep_answers_s: float,
        kept: KeptBytes,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._personal_data = personal_data
        self._telemetry = telemetry
        self._keep_answers_s = keep_answers_s
        self._kept = kept

    async def __call__(self, held: Held, outcome: Outcome) -> Receipt:
        """Record the charge; returns after the commit.

        Raises: DomainError settlement_pending if it is not committed by the request's deadline (it stays queued and
                is charged when the database is back, so the answer must not leave); insufficient_credits if the
                reservation has expired and its replacement is not affordable.
        """
        settle_id = step_id(held.reservation, "settle")
        stored = await self._stored(held, settle_id, outcome.answer)
        command = self._command(held, outcome)
        patience_s = (held.deadline_at - command.at).total_seconds()
        try:
            with self._telemetry.span("settle", held.reservation_id):
                recorded = await self._ledger.transact(
                    CREDIT,
                    held.caller.account_id,
                    command,
                    command_id=settle_id,
                    correlation_id=held.reservation,
                    answer=stored,
                    waiting=Waiting(
                        patience_s=max(patience_s, MIN_SETTLE_PATIENCE_S),
                        on_recorded=partial(self._count, held.caller.account_id),
                    ),
                )
        except TimeoutError:
            raise DomainError("settlement_pending", generation_id=held.generation_id, retry_after_s=5) from None
        return Receipt(_settled(recorded), recorded.position)

    async def release(
        self, held: Held, reason: str, attempt: Attempt | None = None, unpaid: Unpaid | None = None
    ) -> None:
        """End the reservation without a charge: nothing billable was produced."""
        command = Release(
            at=self._clock.now(), reservation_id=held.reservation_id, reason=reason, attempt=attempt, unpaid=unpaid
        )
        try:
            await self._ledger.transact(
                CREDIT,
                held.caller.account_id,
                command,
                command_id=step_id(held.reservation, "release"),
                correlation_id=held.reservation,
            )
        except DomainError as refusal:
            if refusal.code != "reservation_not_open":  # it has expired: its credit is free already
                raise

    def _command(self, held: Held, outcome: Outcome) -> Settle:
        now = self._clock.now()
        metered = outcome.metered
        return Settle(
            at=now,
            reservation_id=held.reservation_id,
            charge=metered.charge,
            generation=Generation(
                provider=held.offer.provider,
                model=held.offer.model,
                usage=metered.usage,
                provider_cost_nusd=metered.provider_cost_nusd,
                provider_generation_id=outcome.provider_generation_id,
                finish_reason=outcome.finish_reason,
                ttft_ms=outcome.ttft_ms,
                total_ms=round((self._clock.elapsed_s() - held.started_s) * 1_000),
                streamed=held.request.streamed,
                estimated=metered.estimated,
                quarantined=metered.quarantined,
                cancelled=outcome.cancelled,
                error_class=outcome.error_class,
            ),
            late=held.reserve,
            unpaid=outcome.unpaid,
        )

    async def _stored(self, held: Held, settle_id: UUID, answer: bytes | None) -> StoredAnswer | None:
        if answer is None or len(answer) > MAX_STORED_BYTES or self._keep_answers_s <= 0:
            return None
        account_id = held.caller.account_id
        try:
            sealed = await self._personal_data.seal(account_id, answer)
        except DomainError:  # the account was erased, nothing can be sealed for it: its answer is not kept
            return None
        now = self._clock.now()
        until = now + timedelta(seconds=self._keep_answers_s)
        if not self._kept.takes(account_id, len(sealed), now, until):
            return None
        return StoredAnswer(account_id, settle_id, sealed, until)

    def _count(self, account_id: str, recorded: Recorded) -> None:
        """When the charge is made, not when it is reported: nobody may wait for it any more."""
        settled = _settled(recorded)
        generation = settled.generation
        self._telemetry.settled(
            generation.model,
            generation.provider,
            settled.paid_nusd,
            estimated=generation.estimated,
            streamed=generation.streamed,
        )
        for event in recorded.events:
            if isinstance(event, ShortfallRecorded):
                self._telemetry.fell_short(account_id, event.amount_nusd, event.owed_nusd)


def _settled(recorded: Recorded) -> Settled:
    return next(event for event in recorded.events if isinstance(event, Settled))
