"""Ids in paths: ours are UUIDs in one spelling; anything else names nothing, and no port is asked about it."""

from uuid import UUID

from domain.errors import DomainError


def checked_id(text: str, code: str) -> str:
    """`text`, or DomainError `code` if no id of ours is spelled so."""
    try:
        is_ours = str(UUID(text)) == text
    except ValueError:
        is_ours = False
    if not is_ours:
        raise DomainError(code)
    return text
