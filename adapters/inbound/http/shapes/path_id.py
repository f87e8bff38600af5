"""Ids in paths: ours are UUIDs in one spelling; any other text is refused without a call of a port."""

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
