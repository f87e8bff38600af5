"""Answers kept for retries with the same Idempotency-Key: the first result again, charged once
(docs/reference/rules.md#idempotency)."""

import msgspec

from application.generate.reserve_credit import AlreadyServed
from application.generate.settle_charge import Receipt
from application.ports.answers import AnswerStore
from application.ports.clock import Clock
from application.ports.key_directory import Caller
from application.ports.personal_data import PersonalData
from domain.errors import DomainError
from domain.money import format_usd


class KeptAnswer(msgspec.Struct, frozen=True, array_like=True):
    """What the ledger does not have. `parts` is one body without `usage`, or the data of each chunk of a stream.

    Cost is not kept: a retry's `usage` is written from the Settled event, so it always shows what was charged.
    """

    generation_id: str
    parts: list[bytes]
    raw_usage: bytes | None
    clamped_to: int | None = None
    dropped: tuple[str, ...] = ()

    def encode(self) -> bytes:
        return msgspec.msgpack.encode(self)


class ReplayAnswer:
    def __init__(self, answers: AnswerStore, personal_data: PersonalData, clock: Clock) -> None:
        self._answers = answers
        self._personal_data = personal_data
        self._clock = clock

    async def __call__(self, caller: Caller, served: AlreadyServed) -> tuple[KeptAnswer, Receipt]:
        """Raises: DomainError answer_not_kept, naming the charge, if the answer was not stored or has expired."""
        sealed = await self._answers.find(served.settle_id, self._clock.now())
        if sealed is not None:
            try:
                kept = msgspec.msgpack.decode(
                    await self._personal_data.open(caller.account_id, sealed), type=KeptAnswer
                )
            except msgspec.DecodeError:  # erased together with its account
                pass
            else:
                return kept, Receipt(served.settled, served.position)
        raise DomainError(
            "answer_not_kept",
            generation_id=f"gen-{served.settled.reservation_id}",
            cost_usd=format_usd(served.settled.paid_nusd),
        )
