"""Counting tokens for estimates."""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class CountedText(NamedTuple):
    tokens: int
    text_bytes: int


class TokenCounter(Protocol):
    """Counts tokens for estimates without holding up requests."""

    async def count(self, read: Callable[[], str]) -> CountedText | None:
        """Count the text that `read` returns; a thread calls it. None if too many are waiting, or counting fails."""
        ...
