"""ApiKey, the aggregate: stream `key-<key id>`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never, get_args

import msgspec
from msgspec.structs import replace

from domain.api_key.events import (
    ApiKeyEvent,
    Changed,
    Environment,
    Issued,
    KeyKind,
    KeySettings,
    Revoked,
    Rotated,
    Secret,
)
from domain.api_key.ranges import checked_ahead, checked_grace_s
from domain.api_key.retired import RETIRED
from domain.decider import Decider
from domain.errors import DomainError
from domain.event import GENESIS, Command, Event


class Issue(Command, frozen=True, kw_only=True):
    key_id: str
    account_id: str
    kind: KeyKind
    environment: Environment
    secret: Secret
    settings: KeySettings
    claims: bytes = b""


class Change(Command, frozen=True, kw_only=True):
    settings: KeySettings
    claims: bytes = b""


class Rotate(Command, frozen=True, kw_only=True):
    secret: Secret
    grace_s: int


class Revoke(Command, frozen=True, kw_only=True):
    pass


ApiKeyCommand = Issue | Change | Rotate | Revoke


class ApiKey(msgspec.Struct, frozen=True):
    """The state of one key. `old_secret`, the one before the last rotation, still opens until `old_until`."""

    key_id: str = ""
    account_id: str = ""
    kind: KeyKind = "inference"
    environment: Environment = "live"
    secret: Secret = Secret(b"", "")
    settings: KeySettings = KeySettings(label=b"")
    old_secret: Secret | None = None
    old_until: datetime = GENESIS
    revoked: bool = False
    issued_at: datetime = GENESIS
    changed_at: datetime = GENESIS

    @property
    def exists(self) -> bool:
        return bool(self.key_id)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """Of the secret, and of the former one after a rotation."""
        return (self.secret.hash, self.old_secret.hash) if self.old_secret is not None else (self.secret.hash,)

    def opens_with(self, secret_hash: bytes, now: datetime) -> bool:
        """Whether a secret with this hash is the current one, or the former one within its grace."""
        if secret_hash == self.secret.hash:
            return True
        return self.old_secret is not None and secret_hash == self.old_secret.hash and now < self.old_until

    def refusal(self, secret_hash: bytes, now: datetime) -> str | None:
        """The error code if a secret with this hash may not be used now; None if it may."""
        if not self.exists or self.revoked or not self.opens_with(secret_hash, now):
            return "invalid_api_key"
        if self.settings.disabled:
            return "api_key_disabled"
        expires_at = self.settings.expires_at
        return "api_key_expired" if expires_at is not None and expires_at <= now else None


def decide(command: ApiKeyCommand, state: ApiKey) -> Sequence[Event]:
    """Refuses with a DomainError; () means nothing would change. Time never runs backwards."""
    at = max(command.at, state.changed_at)
    if isinstance(command, Issue):
        return [_issued(command, state)]
    if not state.exists or state.revoked:
        raise DomainError("key_not_found")
    named = {"key_id": state.key_id, "account_id": state.account_id}
    match command:
        case Change():
            settings = checked_ahead(command.settings, at, state.settings)
            if settings == state.settings:
                return ()
            return [Changed(at=at, settings=settings, claims=command.claims, **named)]
        case Rotate():
            old_until = at + timedelta(seconds=checked_grace_s(command.grace_s))
            return [Rotated(at=at, secret=command.secret, old_until=old_until, **named)]
        case Revoke():
            return [Revoked(at=at, **named)]
    assert_never(command)


def _issued(command: Issue, state: ApiKey) -> Issued:
    if state.exists:
        raise DomainError("key_exists", key_id=state.key_id)
    return Issued(
        at=command.at,
        key_id=command.key_id,
        account_id=command.account_id,
        kind=command.kind,
        environment=command.environment,
        secret=command.secret,
        settings=checked_ahead(command.settings, command.at),
        claims=command.claims,
    )


def evolve(state: ApiKey, event: Event) -> ApiKey:
    match event:
        case Issued():
            return ApiKey(
                key_id=event.key_id,
                account_id=event.account_id,
                kind=event.kind,
                environment=event.environment,
                secret=event.secret,
                settings=event.settings,
                issued_at=event.at,
                changed_at=event.at,
            )
        case Changed():
            return replace(state, settings=event.settings, changed_at=event.at)
        case Rotated():
            return replace(
                state,
                secret=event.secret,
                old_secret=state.secret,
                old_until=event.old_until,
                changed_at=event.at,
            )
        case Revoked():
            return replace(state, revoked=True, changed_at=event.at)
    raise TypeError(type(event))


API_KEY = Decider(
    name="key",
    has_account_streams=False,
    initial=ApiKey(),
    decide=decide,
    evolve=evolve,
    events=(*get_args(ApiKeyEvent), *RETIRED),
    state_type=ApiKey,
    state_schema=2,
)
