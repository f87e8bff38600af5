"""Sealing that anybody could undo, and keyed hashes with a known key."""

import hmac

from domain.errors import DomainError
from domain.proof.commitment import commitment

SEALED = b"sealed:"


class MemoryPersonalData:
    """`erased`: accounts whose data key is gone; `swapped`: those that have another's in its place."""

    def __init__(self) -> None:
        self.erased: set[str] = set()
        self.swapped: set[str] = set()

    async def create_key(self, account_id: str) -> None:
        """Nothing to keep: sealing here needs no key."""

    async def seal(self, account_id: str, data: bytes) -> bytes:
        self._refuse_without_key(account_id)
        return SEALED + data

    async def commitment(self, account_id: str) -> bytes:
        self._refuse_without_key(account_id)
        return commitment(account_id, b"no key")

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        if account_id in self.erased:
            return b"erased"
        if account_id in self.swapped:
            return b"cannot be read"
        assert sealed.startswith(SEALED)
        return sealed.removeprefix(SEALED)

    def keyed_hash(self, kind: str, value: str) -> bytes:
        return hmac.digest(b"pepper", f"{kind} {value}".encode(), "sha256")

    def _refuse_without_key(self, account_id: str) -> None:
        if account_id in self.swapped:
            raise DomainError("account_unreadable", account_id=account_id)
        if account_id in self.erased:
            raise DomainError("account_erased", account_id=account_id)
