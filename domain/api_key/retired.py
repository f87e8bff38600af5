"""Versions of key events that are no longer written; recorded ones decode to the current version."""

from collections.abc import Sequence
from typing import ClassVar

from domain import times
from domain.api_key import ranges
from domain.api_key.events import Changed, Environment, Issued, KeyKind, KeySettings, Rotated, Secret
from domain.event import Event, Instant


class IssuedV1(Event, frozen=True, kw_only=True):
    """Its times had no range, and it has no claims."""

    tag: ClassVar[str] = "api_key.issued.v1"
    key_id: str
    account_id: str
    kind: KeyKind
    environment: Environment
    secret: Secret
    settings: KeySettings

    def upcast(self) -> Issued:
        return Issued(
            at=self.at,
            key_id=self.key_id,
            account_id=self.account_id,
            kind=self.kind,
            environment=self.environment,
            secret=self.secret,
            settings=ranges.clamped(self.settings),
        )

    def clamped(self) -> Sequence[str]:
        return ranges.fields_clamped(self.settings)


class ChangedV1(Event, frozen=True, kw_only=True):
    """As IssuedV1."""

    tag: ClassVar[str] = "api_key.changed.v1"
    key_id: str
    account_id: str
    settings: KeySettings

    def upcast(self) -> Changed:
        settings = ranges.clamped(self.settings)
        return Changed(at=self.at, key_id=self.key_id, account_id=self.account_id, settings=settings)

    def clamped(self) -> Sequence[str]:
        return ranges.fields_clamped(self.settings)


class RotatedV1(Event, frozen=True, kw_only=True):
    """Its time had no range."""

    tag: ClassVar[str] = "api_key.rotated.v1"
    key_id: str
    account_id: str
    secret: Secret
    old_until: Instant

    def upcast(self) -> Rotated:
        return Rotated(
            at=self.at,
            key_id=self.key_id,
            account_id=self.account_id,
            secret=self.secret,
            old_until=times.clamped(self.old_until),
        )

    def clamped(self) -> Sequence[str]:
        return [] if times.clamped(self.old_until) == self.old_until else ["old_until"]


RETIRED: tuple[type[Event], ...] = (IssuedV1, ChangedV1, RotatedV1)
