"""Sealing that anybody could undo, and keyed hashes with a known key."""

import hmac

from domain.errors import DomainError
from domain.proof.commitment import commitment


class MemoryPersonalData:
    """`erased`: accounts whose data key was dropped; `swapped`: those that have another's in its place."""

    def __init__(self) -> None:
        self.erased: set[str] = set()
        self.swapped: set[str] = set()
        self._accounts: set[str] = set()

    async def create_key(self, account_id: str) -> None:
        self._accounts.add(account_id)

    async def seal(self, account_id: str, data: bytes) -> bytes:
        self._refuse_without_key(account_id)
        return sealed_for(account_id, data)

    async def fingerprint(self, account_id: str, data: bytes) -> bytes:
        self._refuse_without_key(account_id)
        return hmac.digest(b"data key", account_id.encode() + data, "sha256")

    async def commitment(self, account_id: str) -> bytes:
        self._refuse_without_key(account_id)
        return commitment(account_id, b"no key")

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        if not self._has_key(account_id):
            return b"erased"
        if account_id in self.swapped or not sealed.startswith(sealed_for(account_id, b"")):
            return b"cannot be read"
        return sealed.removeprefix(sealed_for(account_id, b""))

    def keyed_hash(self, kind: str, value: str) -> bytes:
        return hmac.digest(b"pepper", f"{kind} {value}".encode(), "sha256")

    def _has_key(self, account_id: str) -> bool:
        return account_id in self._accounts and account_id not in self.erased

    def _refuse_without_key(self, account_id: str) -> None:
        if account_id in self.swapped:
            raise DomainError("account_unreadable", account_id=account_id)
        if not self._has_key(account_id):
            raise DomainError("account_erased", account_id=account_id)


def sealed_for(account_id: str, data: bytes) -> bytes:
    return f"sealed for {account_id}:".encode() + data
