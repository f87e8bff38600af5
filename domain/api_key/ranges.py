"""Ranges for a key's settings and times: a command outside is refused, a recorded value outside is moved inside."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from domain import times
from domain.api_key.events import KeySettings
from domain.errors import DomainError
from domain.money import MAX_NUSD
from domain.window import KeyLimit

DEFAULT_GRACE_S = 86_400
"""An old secret works for a day after a rotation unless its owner chooses otherwise."""

MAX_GRACE_S = 7 * 86_400
"""An old secret works for a week after a rotation at most; for longer, issue a second key."""


def checked(settings: KeySettings) -> KeySettings:
    """`settings` with their expiry in UTC.

    Raises: DomainError invalid_expiry, invalid_amount (limit).
    """
    if settings.limit is not None and not 0 <= settings.limit.limit_nusd <= MAX_NUSD:
        raise DomainError("invalid_amount", param="limit", expected="zero or more, within what can be counted")
    if settings.expires_at is None:
        return settings
    return replace(settings, expires_at=times.checked(settings.expires_at, "expires_at"))


def checked_ahead(settings: KeySettings, at: datetime, before: KeySettings | None = None) -> KeySettings:
    """As `checked`; an expiry that differs from the one in `before` must be after `at`: no key starts expired.

    Raises: DomainError invalid_expiry, invalid_amount (limit).
    """
    settings = checked(settings)
    is_new = before is None or settings.expires_at != before.expires_at
    if is_new and settings.expires_at is not None and settings.expires_at <= at:
        raise DomainError("invalid_expiry", param="expires_at", expected="a time in the future")
    return settings


def checked_grace_s(grace_s: int) -> int:
    """Raises: DomainError invalid_grace."""
    if not 0 <= grace_s <= MAX_GRACE_S:
        raise DomainError("invalid_grace", param="grace_s", limit=MAX_GRACE_S)
    return grace_s


def clamped(settings: KeySettings) -> KeySettings:
    limit, expires_at = settings.limit, settings.expires_at
    return replace(
        settings,
        limit=None if limit is None else KeyLimit(min(max(limit.limit_nusd, 0), MAX_NUSD), limit.window),
        expires_at=None if expires_at is None else times.clamped(expires_at),
    )


def fields_clamped(settings: KeySettings) -> Sequence[str]:
    inside = clamped(settings)
    return [f"settings.{name}" for name in ("limit", "expires_at") if getattr(inside, name) != getattr(settings, name)]
