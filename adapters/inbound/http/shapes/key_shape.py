"""An API key as answers show it, and a spending limit as requests name it."""

from datetime import datetime
from typing import Literal

from msgspec import UNSET, UnsetType

from adapters.inbound.http.shapes.json_shape import OptionalUsd, Usd, optional_usd, usd
from adapters.inbound.http.shapes.openrouter_members import NoByok
from application.ports.personal_data import PersonalData
from application.reads.keys import KeySpending
from application.sealed import opened
from domain.api_key.api_key import ApiKey
from domain.api_key.events import Environment, KeyKind
from domain.errors import DomainError
from domain.window import KeyLimit, Window

LimitReset = Literal["daily", "weekly", "monthly"]
"""OpenRouter's windows; None is a limit that never resets, our "total"."""


class Key(NoByok, frozen=True, kw_only=True):
    """OpenRouter's members. Costs are USD: settled charges, in windows that begin at 00:00 UTC (weeks on Monday).

    hash:          names the key for ever; it is not derived from the secret.
    label:         what may be shown of the secret. `name` is what its owner calls it.
    workspace_id:  the account.
    """

    hash: str
    name: str
    label: str
    kind: KeyKind
    environment: Environment
    disabled: bool
    usage: Usd
    usage_daily: Usd
    usage_weekly: Usd
    usage_monthly: Usd
    limit: OptionalUsd
    limit_remaining: OptionalUsd
    limit_reset: LimitReset | None
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    workspace_id: str


async def shown(key: ApiKey, spending: KeySpending, personal_data: PersonalData) -> Key:
    limit = key.settings.limit
    return Key(
        hash=key.key_id,
        name=await opened(personal_data, key.account_id, key.settings.label),
        label=label_of(key.environment, key.secret.last4),
        kind=key.kind,
        environment=key.environment,
        disabled=key.settings.disabled,
        usage=usd(spending.total_nusd),
        usage_daily=usd(spending.daily_nusd),
        usage_weekly=usd(spending.weekly_nusd),
        usage_monthly=usd(spending.monthly_nusd),
        limit=optional_usd(limit.limit_nusd if limit else None),
        limit_remaining=optional_usd(remaining_nusd(limit, spending)),
        limit_reset=reset_of(limit),
        created_at=key.issued_at,
        updated_at=key.changed_at,
        expires_at=key.settings.expires_at,
        workspace_id=key.account_id,
    )


def label_of(environment: Environment, last4: str) -> str:
    return f"gw_{environment}_...{last4}"


def remaining_nusd(limit: KeyLimit | None, spending: KeySpending) -> int | None:
    """The limit less the window's settled charges; open reservations are not counted."""
    if limit is None:
        return None
    spent: dict[Window, int] = {
        "daily": spending.daily_nusd,
        "weekly": spending.weekly_nusd,
        "monthly": spending.monthly_nusd,
        "total": spending.total_nusd,
    }
    return max(0, limit.limit_nusd - spent[limit.window])


def reset_of(limit: KeyLimit | None) -> LimitReset | None:
    return None if limit is None or limit.window == "total" else limit.window


def limit_of(limit_nusd: int | None, reset: LimitReset | None) -> KeyLimit | None:
    """Raises: DomainError invalid_request for a reset without a limit."""
    if limit_nusd is not None:
        return KeyLimit(limit_nusd, reset or "total")
    if reset is not None:
        raise DomainError("invalid_request", param="limit_reset", message="limit_reset needs a limit")
    return None


def changed_limit(
    old: KeyLimit | None, limit_nusd: int | UnsetType | None, reset: LimitReset | UnsetType | None
) -> KeyLimit | None:
    """The limit after a change that names either, both or neither of its two halves."""
    if limit_nusd is UNSET:
        limit_nusd = old.limit_nusd if old else None
    if reset is UNSET:
        reset = reset_of(old) if limit_nusd is not None else None
    return limit_of(limit_nusd, reset)
