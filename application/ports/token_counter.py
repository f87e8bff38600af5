"""Counting tokens for estimates."""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class CountedText(NamedTuple):
    tokens: int
    text_bytes: int


class TokenCounter(Protocol):
    """Counts tokens for estimates, beside those who are served."""

    async def count(self, read: Callable[[], str]) -> CountedText | None:
        """Of the text that `read` returns, called in a thread. None if too many wait, or it cannot be counted."""
        ...
