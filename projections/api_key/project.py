"""Key and account events become the rows a key lookup needs; settled charges become the key's spend per UTC day."""

from collections.abc import Callable, Sequence

from domain.account import events as account
from domain.api_key import events as key
from domain.credit import events as credit
from domain.rules import Rules
from projections.engine.changes import (
    BYTES,
    COUNT,
    DAY,
    FLAG,
    OPTIONAL_INT,
    OPTIONAL_TEXT,
    OPTIONAL_TIME,
    TEXT,
    Add,
    Change,
    Index,
    Logged,
    Projection,
    Put,
    Table,
    burnt_nusd,
)

API_KEY = Table(
    "api_key",
    {
        "key_id": TEXT,
        "account_id": TEXT,
        "kind": TEXT,
        "environment": TEXT,
        "secret_hash": BYTES,
        "secret_version": COUNT,  # in the key's stream, of the event that brought the secret
        "last4": TEXT,
        "old_until": OPTIONAL_TIME,  # the secret before this one opens until then
        "label": BYTES,  # sealed under the account's data key
        "is_disabled": FLAG,
        "limit_nusd": OPTIONAL_INT,
        "limit_window": OPTIONAL_TEXT,
        "expires_at": OPTIONAL_TIME,
        "is_revoked": FLAG,
        "created_at": OPTIONAL_TIME,
        "updated_at": OPTIONAL_TIME,
        "position": COUNT,
    },
    indexes=(Index("account", "account_id"),),
)

API_KEY_SECRET = Table(
    "api_key_secret",
    {"secret_hash": BYTES, "key_id": TEXT, "version": COUNT, "last4": TEXT, "position": COUNT},
    indexes=(Index("key", "key_id, version"),),
)
"""Every secret a key ever had. An event does not repeat the former secret, so the row it was issued in is kept."""

API_KEY_DAY = Table(
    "api_key_day", {"key_id": TEXT, "day": DAY, "requests": COUNT, "cost_nusd": COUNT}, key=2, fillfactor=70
)
"""Settled charges by the UTC day of their reserve; weeks, months and totals are sums of these.

A page of the log updates today's rows: the fill factor leaves room for them where they are."""

ACCOUNT_STANDING = Table(
    "account_standing",
    {
        "account_id": TEXT,
        "state": TEXT,
        "username": BYTES,  # sealed, like email
        "email": BYTES,
        "opened_at": OPTIONAL_TIME,
        "position": COUNT,
    },
)


def project(recorded: Logged) -> Sequence[Change]:
    rule = _RULES[type(recorded.event)]
    return rule(recorded, recorded.event) if rule is not None else ()


def _issued(recorded: Logged, event: key.Issued) -> Sequence[Change]:
    values = {
        "account_id": event.account_id,
        "kind": event.kind,
        "environment": event.environment,
        "created_at": event.at,
        **_settings(event.settings),
    }
    return _with_secret(recorded, event.key_id, event.secret, values)


def _rotated(recorded: Logged, event: key.Rotated) -> Sequence[Change]:
    return _with_secret(recorded, event.key_id, event.secret, {"old_until": event.old_until})


def _with_secret(recorded: Logged, key_id: str, secret: key.Secret, values: dict[str, object]) -> Sequence[Change]:
    known = {"key_id": key_id, "version": recorded.version, "last4": secret.last4, "position": recorded.position}
    current = {"secret_hash": secret.hash, "secret_version": recorded.version, "last4": secret.last4}
    return (
        Put(API_KEY_SECRET, (secret.hash,), known),
        Put(API_KEY, (key_id,), {**values, **current, **_touched(recorded)}),
    )


def _changed(recorded: Logged, event: key.Changed) -> Sequence[Change]:
    return (Put(API_KEY, (event.key_id,), {**_settings(event.settings), **_touched(recorded)}),)


def _revoked(recorded: Logged, event: key.Revoked) -> Sequence[Change]:
    return (Put(API_KEY, (event.key_id,), {"is_revoked": True, **_touched(recorded)}),)


def _settings(settings: key.KeySettings) -> dict[str, object]:
    limit = settings.limit
    return {
        "label": settings.label,
        "is_disabled": settings.disabled,
        "limit_nusd": limit.limit_nusd if limit else None,
        "limit_window": limit.window if limit else None,
        "expires_at": settings.expires_at,
    }


def _touched(recorded: Logged) -> dict[str, object]:
    return {"updated_at": recorded.event.at, "position": recorded.position}


def _opened(recorded: Logged, event: account.Opened) -> Sequence[Change]:
    values = {
        "state": event.state,
        "username": event.username,
        "email": event.email,
        "opened_at": event.at,
        "position": recorded.position,
    }
    return (Put(ACCOUNT_STANDING, (event.account_id,), values),)


def _state_changed(recorded: Logged, event: account.StateChanged) -> Sequence[Change]:
    values = {"state": event.state, "position": recorded.position}
    return (Put(ACCOUNT_STANDING, (event.account_id,), values),)


def _settled(_: Logged, event: credit.Settled) -> Sequence[Change]:
    day = (event.key_id, event.reserved_at.date())
    return (Add(API_KEY_DAY, day, {"requests": 1, "cost_nusd": burnt_nusd(event)}),)


_RULES: Rules[Callable[..., Sequence[Change]]] = Rules(
    ["account", "key", "credit"],
    handles={
        key.Issued: _issued,
        key.Changed: _changed,
        key.Rotated: _rotated,
        key.Revoked: _revoked,
        account.Opened: _opened,
        account.StateChanged: _state_changed,
        credit.Settled: _settled,
    },
    ignores=[
        credit.Granted,
        credit.Reserved,
        credit.ReservationExtended,
        credit.AttemptRecorded,
        credit.ShortfallRecorded,
        credit.ShortfallPaid,
        credit.Released,
        credit.WorkUnpaid,
        credit.ReservationExpired,
        credit.LotExpired,
    ],
)

PROJECTION = Projection(
    "api_key",
    version=1,
    tables=(API_KEY, API_KEY_SECRET, API_KEY_DAY, ACCOUNT_STANDING),
    project=project,
    rules=_RULES,
    package=__package__,
)
