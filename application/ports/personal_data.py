"""Personal data, sealed."""

from typing import Protocol


class PersonalData(Protocol):
    """Sealing under per-account data keys, which live outside the log: dropping one erases the account's data."""

    async def create_key(self, account_id: str) -> None: ...

    async def seal(self, account_id: str, data: bytes) -> bytes:
        """Raises: DomainError account_erased if the account's data key is gone; account_unreadable if the stored key is
        not the account's."""
        ...

    async def commitment(self, account_id: str) -> bytes:
        """A commitment to the account's data key (domain.proof.commitment). Raises: as `seal`."""
        ...

    async def fingerprint(self, account_id: str, data: bytes) -> bytes:
        """32 bytes, equal for equal data; without the data key they reveal nothing of it. Raises: as `seal`."""
        ...

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        """The data that was sealed; b"erased" if the account's data key is gone; b"cannot be read" if another account's
        key is in its place or the sealed bytes were changed. Views show these words; `verify` finds the cause."""
        ...

    def keyed_hash(self, kind: str, value: str) -> bytes:
        """HMAC-SHA256 under the pepper; `kind` separates the name spaces."""
        ...
