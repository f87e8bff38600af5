"""Finds callers in the memory ledger's own streams."""

from application.ports.clock import Clock
from application.ports.key_directory import Caller
from application.ports.personal_data import PersonalData
from domain.account.account import ACCOUNT, may_be_served
from domain.api_key.api_key import API_KEY, ApiKey
from domain.errors import DomainError
from tests.fakes.memory_ledger import MemoryLedger


class MemoryKeyDirectory:
    def __init__(self, ledger: MemoryLedger, personal_data: PersonalData, clock: Clock) -> None:
        self._ledger = ledger
        self._personal_data = personal_data
        self._clock = clock

    def remembered(self, secret: str) -> Caller | None:
        """It looks every key up."""
        return None

    async def authenticate(self, secret: str) -> Caller:
        secret_hash = self._personal_data.keyed_hash("key_secret", secret)
        key = self._key_with(secret_hash)
        refusal = key.refusal(secret_hash, self._clock.now())
        if refusal is not None:
            raise DomainError(refusal)
        state = self._ledger.state_now(ACCOUNT, key.account_id).state
        if not may_be_served(state):
            raise DomainError("account_not_served", state=state)
        return Caller(key.key_id, key.account_id, key.kind, key.environment, state, key.settings.limit)

    def _key_with(self, secret_hash: bytes) -> ApiKey:
        for stream in {event.stream for event in self._ledger.log if event.stream.startswith("key-")}:
            key: ApiKey = self._ledger.state_now(API_KEY, stream.removeprefix("key-"))
            known = [key.secret, *([key.old_secret] if key.old_secret else [])]
            if any(secret_hash == each.hash for each in known):
                return key
        return ApiKey()
