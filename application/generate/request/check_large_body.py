"""Check, before a large body is read, that its account could pay for anything at all."""

from application.ports.clock import Clock
from application.ports.key_directory import Caller
from application.ports.ledger import Ledger
from domain.account.account import burnable_kinds
from domain.credit.decider import CREDIT
from domain.errors import DomainError

TRUST_S = 1.0
"""An account that had credit is not checked again for so long: the reserve still refuses one that has none left."""

MAX_TRUSTED = 10_000


class CheckLargeBody:
    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._trusted: dict[str, float] = {}

    async def __call__(self, caller: Caller, limit_bytes: int) -> None:
        """The model is not known yet, so free models are no exception.

        Raises: DomainError body_needs_credit if the account has no available credit that it may burn.
        """
        now = self._clock.now()
        if self._trusted.get(caller.account_id, 0.0) > now.timestamp():
            return
        credit = await self._ledger.state_of(CREDIT, caller.account_id)
        if credit.available_nusd(now, burnable_kinds(caller.account_state)) <= 0:
            raise DomainError("body_needs_credit", limit_bytes=limit_bytes)
        if len(self._trusted) >= MAX_TRUSTED:
            self._trusted.clear()
        self._trusted[caller.account_id] = now.timestamp() + TRUST_S
