"""Names and secrets."""

from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """The only source of randomness for names."""

    def new(self) -> UUID:
        """A UUIDv7: sorts by the time it was made."""
        ...

    def secret(self) -> str:
        """43 url-safe characters with 256 bits of randomness."""
        ...
