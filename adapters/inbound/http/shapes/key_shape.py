"""An API key as answers show it."""

from datetime import datetime
from typing import Literal

from adapters.inbound.http.shapes.json_shape import OptionalUsd, Usd, optional_usd, usd
from adapters.inbound.http.shapes.openrouter_members import NoByok
from application.keys.shown_key import ShownKey
from domain.api_key.events import Environment, KeyKind
from domain.window import Window

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


def shown(key: ShownKey) -> Key:
    return Key(
        hash=key.key_id,
        name=key.label,
        label=label_of(key.environment, key.last4),
        kind=key.kind,
        environment=key.environment,
        disabled=key.disabled,
        usage=usd(key.spent_nusd),
        usage_daily=usd(key.spent_daily_nusd),
        usage_weekly=usd(key.spent_weekly_nusd),
        usage_monthly=usd(key.spent_monthly_nusd),
        limit=optional_usd(key.limit_nusd),
        limit_remaining=optional_usd(key.limit_remaining_nusd),
        limit_reset=reset_of(key.limit_window),
        created_at=key.issued_at,
        updated_at=key.changed_at,
        expires_at=key.expires_at,
        workspace_id=key.account_id,
    )


def label_of(environment: Environment, last4: str) -> str:
    return f"gw_{environment}_...{last4}"


def reset_of(window: Window | None) -> LimitReset | None:
    return None if window == "total" else window
