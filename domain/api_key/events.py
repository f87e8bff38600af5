"""What has happened to an API key. The secret is never here: only its keyed hash and its last four characters."""

from typing import ClassVar, Literal

import msgspec

from domain.event import Event, Instant
from domain.window import KeyLimit

Environment = Literal["live", "test", "staging", "dev"]
KeyKind = Literal["inference", "management"]


class Secret(msgspec.Struct, frozen=True):
    """HMAC-SHA256 of the secret under the pepper, and what may be shown of it."""

    hash: bytes
    last4: str


class KeySettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything about a key that its owner may change. `label` is sealed under the account's data key."""

    label: bytes
    disabled: bool = False
    limit: KeyLimit | None = None
    expires_at: Instant | None = None


class Issued(Event, frozen=True, kw_only=True):
    """`claims`: the command's claims except the secret's hash (so only the label), as domain.claim encodes them, sealed
    under the account's data key; empty in events of version 1."""

    tag: ClassVar[str] = "api_key.issued.v2"
    key_id: str
    account_id: str
    kind: KeyKind
    environment: Environment
    secret: Secret
    settings: KeySettings
    claims: bytes = b""


class Changed(Event, frozen=True, kw_only=True):
    """`claims`: the claim of the new label, sealed; it replaces the old one. Empty if the label stayed."""

    tag: ClassVar[str] = "api_key.changed.v2"
    key_id: str
    account_id: str
    settings: KeySettings
    claims: bytes = b""


class Rotated(Event, frozen=True, kw_only=True):
    """A new secret under the same id; the old one works until `old_until` (grace, 0 allowed). Its only claim is the new
    secret's hash."""

    tag: ClassVar[str] = "api_key.rotated.v2"
    key_id: str
    account_id: str
    secret: Secret
    old_until: Instant


class Revoked(Event, frozen=True, kw_only=True):
    tag: ClassVar[str] = "api_key.revoked.v1"
    key_id: str
    account_id: str


ApiKeyEvent = Issued | Changed | Rotated | Revoked
