"""Sealing that anybody could undo, and keyed hashes with a known key."""

import hmac

from domain.errors import DomainError
from domain.proof.commitment import commitment

SEALED = b"sealed:"


class MemoryPersonalData:
    """`erased`: accounts whose data key is gone."""

    def __init__(self) -> None:
        self.erased: set[str] = set()

    async def create_key(self, account_id: str) -> None:
        """Nothing to keep: sealing here needs no key."""

    async def seal(self, account_id: str, data: bytes) -> bytes:
        self._refuse_erased(account_id)
        return SEALED + data

    async def commitment(self, account_id: str) -> bytes:
        self._refuse_erased(account_id)
        return commitment(account_id, b"no key")

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        if account_id in self.erased:
            return b"erased"
        assert sealed.startswith(SEALED)
        return sealed.removeprefix(SEALED)

    def keyed_hash(self, kind: str, value: str) -> bytes:
        return hmac.digest(b"pepper", f"{kind} {value}".encode(), "sha256")

    def _refuse_erased(self, account_id: str) -> None:
        if account_id in self.erased:
            raise DomainError("account_erased", account_id=account_id)
