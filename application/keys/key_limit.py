"""The spending limit of a key, from an amount and a window that are given separately."""

from msgspec import UNSET, UnsetType

from domain.errors import DomainError
from domain.window import KeyLimit, Window


def limit_of(limit_nusd: int | None, window: Window | None) -> KeyLimit | None:
    """A limit without a window is for ever ("total").

    Raises: DomainError invalid_request for a window without a limit.
    """
    if limit_nusd is not None:
        return KeyLimit(limit_nusd, window or "total")
    if window is not None:
        raise DomainError("invalid_request", param="limit_reset", message="limit_reset needs a limit")
    return None


def changed_limit(
    old: KeyLimit | None, limit_nusd: int | UnsetType | None, window: Window | UnsetType | None
) -> KeyLimit | None:
    """The limit after a change that names its amount, its window, both or neither. Raises as `limit_of`."""
    if limit_nusd is UNSET:
        limit_nusd = old.limit_nusd if old else None
    if window is UNSET:
        window = old.window if old and limit_nusd is not None else None
    return limit_of(limit_nusd, window)
