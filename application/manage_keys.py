"""Issue, change, rotate and revoke API keys. The secret is shown once and never stored."""

from datetime import datetime
from uuid import UUID

import msgspec

from application.command_ids import step_id
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.ledger import Ledger
from application.ports.personal_data import PersonalData
from application.reads.positions import PositionReads
from domain.account.account import ACCOUNT
from domain.api_key.api_key import API_KEY, ApiKey, Change, Issue, Revoke, Rotate
from domain.api_key.events import Environment, KeyKind, KeySettings, Secret
from domain.api_key.ranges import DEFAULT_GRACE_S
from domain.api_key.secret_form import write_secret
from domain.claim import Claim, encode_claims
from domain.errors import DomainError
from domain.window import KeyLimit

LABEL_MAX = 100
VISIBLE_WAIT_S = 2.0
"""Issuing answers when the read model has the key, or after this: lookups fall back to the key's stream meanwhile."""


class IssuedKey(msgspec.Struct, frozen=True):
    """`secret` is the only copy there will ever be."""

    key_id: str
    secret: str
    position: int


class KeyChange(msgspec.Struct, frozen=True, kw_only=True):
    """New values of what may be changed; None leaves as is, `clear` names fields to remove (limit, expires_at)."""

    label: str | None = None
    disabled: bool | None = None
    limit: KeyLimit | None = None
    expires_at: datetime | None = None
    clear: frozenset[str] = frozenset()


class ManageKeys:
    def __init__(
        self, ledger: Ledger, personal_data: PersonalData, positions: PositionReads, clock: Clock, ids: Ids
    ) -> None:
        self._ledger = ledger
        self._personal_data = personal_data
        self._positions = positions
        self._clock = clock
        self._ids = ids

    async def issue(
        self,
        account_id: str,
        label: str,
        environment: Environment,
        kind: KeyKind = "inference",
        limit: KeyLimit | None = None,
        expires_at: datetime | None = None,
    ) -> IssuedKey:
        """A new key of an existing account; its label is unique there.

        Raises: DomainError account_not_found, account_erased, invalid_request (label), invalid_amount (limit),
                invalid_expiry, claim_taken (key_label).
        """
        if not (await self._ledger.state_of(ACCOUNT, account_id)).exists:
            raise DomainError("account_not_found", account_id=account_id)
        key = self._ids.new()
        secret = write_secret(environment, self._ids.secret())
        hashed = self._hashed(secret)
        label_claim = self._label_claim(account_id, label)
        recorded = await self._ledger.transact(
            API_KEY,
            str(key),
            Issue(
                at=self._clock.now(),
                key_id=str(key),
                account_id=account_id,
                kind=kind,
                environment=environment,
                secret=hashed,
                settings=KeySettings(
                    label=await self._sealed_label(account_id, label), limit=limit, expires_at=expires_at
                ),
                claims=await self._sealed_claims(account_id, label_claim),
            ),
            command_id=step_id(key, "issue"),
            claims=(label_claim, Claim("key_secret", hashed.hash)),
        )
        await self._positions.wait_for(recorded.position, VISIBLE_WAIT_S)
        return IssuedKey(str(key), secret, recorded.position)

    async def change(self, account_id: str, key_id: str, change: KeyChange) -> int:
        """Apply `change`; returns the position of its event (0 if nothing changed).

        Raises: DomainError key_not_found, account_erased, invalid_request (label), invalid_amount (limit),
                invalid_expiry, claim_taken (key_label).
        """
        key = await self._owned(account_id, key_id)
        settings = await self._changed(key, change)
        claims, releases = await self._label_moves(key, change)
        recorded = await self._ledger.transact(
            API_KEY,
            key_id,
            Change(at=self._clock.now(), settings=settings, claims=await self._sealed_claims(account_id, *claims)),
            command_id=self._ids.new(),
            claims=claims,
            releases=releases,
        )
        return recorded.position

    async def rotate(self, account_id: str, key_id: str, grace_s: int = DEFAULT_GRACE_S) -> IssuedKey:
        """A new secret under the same id, limits and spend; the old one works for `grace_s` more seconds."""
        key = await self._owned(account_id, key_id)
        secret = write_secret(key.environment, self._ids.secret())
        hashed = self._hashed(secret)
        recorded = await self._ledger.transact(
            API_KEY,
            key_id,
            Rotate(at=self._clock.now(), secret=hashed, grace_s=grace_s),
            command_id=self._ids.new(),
            claims=(Claim("key_secret", hashed.hash),),
        )
        await self._positions.wait_for(recorded.position, VISIBLE_WAIT_S)
        return IssuedKey(key_id, secret, recorded.position)

    async def revoke(self, account_id: str, key_id: str) -> int:
        """The key is dead on every process within a second; its label is free again."""
        key = await self._owned(account_id, key_id)
        label = await self._personal_data.open(account_id, key.settings.label)
        recorded = await self._ledger.transact(
            API_KEY,
            key_id,
            Revoke(at=self._clock.now()),
            command_id=step_id(UUID(key_id), "revoke"),
            releases=(self._label_claim(account_id, label.decode()),),
        )
        return recorded.position

    async def _owned(self, account_id: str, key_id: str) -> ApiKey:
        key = await self._ledger.state_of(API_KEY, key_id)
        if not key.exists or key.revoked or key.account_id != account_id:
            raise DomainError("key_not_found")
        return key

    async def _changed(self, key: ApiKey, change: KeyChange) -> KeySettings:
        old = key.settings
        return KeySettings(
            label=old.label if change.label is None else await self._sealed_label(key.account_id, change.label),
            disabled=old.disabled if change.disabled is None else change.disabled,
            limit=None if "limit" in change.clear else change.limit or old.limit,
            expires_at=None if "expires_at" in change.clear else change.expires_at or old.expires_at,
        )

    async def _label_moves(self, key: ApiKey, change: KeyChange) -> tuple[tuple[Claim, ...], tuple[Claim, ...]]:
        if change.label is None:
            return (), ()
        old = (await self._personal_data.open(key.account_id, key.settings.label)).decode()
        taken, given_up = self._label_claim(key.account_id, change.label), self._label_claim(key.account_id, old)
        return ((), ()) if taken == given_up else ((taken,), (given_up,))

    async def _sealed_label(self, account_id: str, label: str) -> bytes:
        if not 0 < len(label) <= LABEL_MAX or not label.isprintable():
            raise DomainError("invalid_request", param="label", message=f"1 to {LABEL_MAX} printable characters")
        return await self._personal_data.seal(account_id, label.encode())

    async def _sealed_claims(self, account_id: str, *claims: Claim) -> bytes:
        """As an event keeps them; empty if there are none."""
        return await self._personal_data.seal(account_id, encode_claims(claims)) if claims else b""

    def _label_claim(self, account_id: str, label: str) -> Claim:
        return Claim("key_label", self._personal_data.keyed_hash("key_label", f"{account_id} {label.casefold()}"))

    def _hashed(self, secret: str) -> Secret:
        return Secret(self._personal_data.keyed_hash("key_secret", secret), secret[-4:])
