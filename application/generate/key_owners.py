"""The owner of a key, by the key's own stream: the write path checks that a reservation's key is its account's."""

from collections import OrderedDict

from application.ports.key_directory import Caller
from application.ports.ledger import Ledger
from domain.api_key.api_key import API_KEY
from domain.errors import DomainError

MAX_KEYS = 50_000
"""About 200 bytes each. A key never changes its account, so an entry never goes stale; dropping one costs a read."""


class KeyOwners:
    """Remembers which account owns which key; one read of the key's stream per key and process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._owners: OrderedDict[str, str] = OrderedDict()

    def knows(self, caller: Caller) -> bool:
        """Whether the key is known to be the account's, without a read."""
        return self._owners.get(caller.key_id) == caller.account_id

    async def require(self, caller: Caller) -> None:
        """Raises: DomainError invalid_api_key if the key is not the account's; ledger_unavailable."""
        owner = self._owners.get(caller.key_id)
        if owner is None:
            owner = await self._read(caller.key_id)
        if owner != caller.account_id:
            raise DomainError("invalid_api_key")

    async def _read(self, key_id: str) -> str:
        key = await self._ledger.state_of(API_KEY, key_id)
        if key.exists:
            self._owners[key_id] = key.account_id
            if len(self._owners) > MAX_KEYS:
                self._owners.popitem(last=False)
        return key.account_id
