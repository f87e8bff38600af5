"""Compares the stored claims and data keys of accounts and API keys with the events, in both directions.

The kinds and numbers of claims, and the hashes of secrets, follow from the events in clear. The claimed names and
labels are sealed in the events, and a data key is compared with its commitment: these checks need a keyring.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from domain.account.events import Opened, StateChanged
from domain.api_key.events import Changed, Issued, Revoked, Rotated
from domain.claim import decode_claims
from domain.event import Event
from domain.proof.finding import Finding
from domain.rules import NoRule, Rules

NAMES = ("username", "email")
SECRET, LABEL = "key_secret", "key_label"

HeldClaim = tuple[str, bytes, str]
"""A row of the claims: kind, hash, stream."""


class AnyDataKey(Protocol):
    """An account's data key, unwrapped."""

    @property
    def commitment(self) -> bytes: ...

    def open(self, sealed: bytes) -> bytes:
        """Raises: ValueError if it was not sealed with this key."""
        ...


class AnyKeyring(Protocol):
    def unwrap(self, account_id: str, wrapped: bytes) -> AnyDataKey:
        """Raises: ValueError."""
        ...


class Access(msgspec.Struct, frozen=True):
    """How much could be proven. `*_not_committed`: recorded by an event version without claims or commitment.

    has_keyring: without one, claims and data keys are checked for presence only.
    """

    accounts: int
    accounts_not_committed: int
    keys: int
    keys_not_committed: int
    has_keyring: bool


class _AccountAccess(msgspec.Struct):
    position: int
    event: Opened


class _KeyAccess(msgspec.Struct):
    position: int
    account_id: str
    secrets: dict[bytes, int]
    claims: bytes
    is_revoked: bool = False


class AccessWalk:
    """Reads account and key events in order; keeps the claims of each account and key, still sealed."""

    def __init__(self) -> None:
        self._accounts: dict[str, _AccountAccess] = {}
        self._keys: dict[str, _KeyAccess] = {}
        self._given_up: set[str] = set()
        self._without_rule: list[Finding] = []

    def walk(self, position: int, stream: str, event: Event) -> None:
        try:
            rule = RULES[type(event)]
        except NoRule as error:
            self._without_rule.append(Finding("claims", str(error), position, stream))
            return
        if rule is not None:
            rule(self, position, stream, event)

    def skip(self, stream: str) -> None:
        """Leave `stream` out: one of its events cannot be read, so its claims are unknown."""
        self._given_up.add(stream)

    def compare(
        self, claims: Iterable[HeldClaim], wrapped: Mapping[str, bytes], keyring: AnyKeyring | None
    ) -> tuple[Access, list[Finding]]:
        """wrapped: data keys by account; without a keyring only their presence is checked."""
        held: dict[str, dict[str, set[bytes]]] = {}
        for kind, hash_, stream in claims:
            held.setdefault(stream, {}).setdefault(kind, set()).add(hash_)
        keys = {a.event.account_id: self._unwrapped(a, wrapped, keyring) for a in self._accounts.values()}
        found = self._without_rule + [key for key in keys.values() if isinstance(key, Finding)]
        for stream, account in self._accounts.items():
            key = keys[account.event.account_id]
            found += _account_claims(stream, account, held.pop(stream, {}), None if isinstance(key, Finding) else key)
        for stream, one in self._keys.items():
            key = keys.get(one.account_id)
            found += _key_claims(stream, one, held.pop(stream, {}), None if isinstance(key, Finding) else key)
        found += [_extra(stream, kind, None) for stream, kinds in sorted(held.items()) for kind in sorted(kinds)]
        return self._access(keyring), [f for f in found if f.place.partition(" ")[0] not in self._given_up]

    def account_opened(self, position: int, stream: str, event: Opened) -> None:
        self._accounts.setdefault(stream, _AccountAccess(position, event))

    def key_issued(self, position: int, stream: str, event: Issued) -> None:
        secrets = {event.secret.hash: position}
        self._keys.setdefault(stream, _KeyAccess(position, event.account_id, secrets, event.claims))

    def key_changed(self, _: int, stream: str, event: Changed) -> None:
        if (key := self._keys.get(stream)) is not None:
            key.claims = event.claims or key.claims

    def key_rotated(self, position: int, stream: str, event: Rotated) -> None:
        if (key := self._keys.get(stream)) is not None:
            key.secrets.setdefault(event.secret.hash, position)

    def key_revoked(self, _: int, stream: str, __: Revoked) -> None:
        if (key := self._keys.get(stream)) is not None:
            key.is_revoked = True

    def _unwrapped(
        self, account: _AccountAccess, wrapped: Mapping[str, bytes], keyring: AnyKeyring | None
    ) -> AnyDataKey | Finding | None:
        event = account.event
        if event.account_id not in wrapped:
            return _data_key(account, "is missing, and the log tells of no erasure")
        if keyring is None:
            return None
        try:
            key = keyring.unwrap(event.account_id, wrapped[event.account_id])
        except ValueError:
            return _data_key(account, "cannot be unwrapped with this keyring")
        if not _fits(key, event):
            return _data_key(account, "is not the one that the account was opened with")
        return key

    def _access(self, keyring: AnyKeyring | None) -> Access:
        return Access(
            len(self._accounts),
            sum(not account.event.commitment for account in self._accounts.values()),
            len(self._keys),
            sum(not key.claims for key in self._keys.values()),
            keyring is not None,
        )


RULES: Rules[Callable[..., None]] = Rules(
    ["account", "key"],
    handles={
        Opened: AccessWalk.account_opened,
        Issued: AccessWalk.key_issued,
        Changed: AccessWalk.key_changed,
        Rotated: AccessWalk.key_rotated,
        Revoked: AccessWalk.key_revoked,
    },
    ignores=[StateChanged],
)


def _fits(key: AnyDataKey, event: Opened) -> bool:
    """Whether this is the account's data key. Without a commitment (version 1), it must open the sealed username."""
    if event.commitment:
        return key.commitment == event.commitment
    try:
        key.open(event.username)
    except ValueError:
        return False
    return True


def _account_claims(
    stream: str, account: _AccountAccess, held: dict[str, set[bytes]], key: AnyDataKey | None
) -> Iterator[Finding]:
    wanted = _opened(account.event.claims, key)
    for kind in NAMES:
        yield from _one_of(stream, kind, account.position, held.pop(kind, set()), wanted)
    yield from (_extra(stream, kind, account.position) for kind in sorted(held))


def _key_claims(stream: str, one: _KeyAccess, held: dict[str, set[bytes]], key: AnyDataKey | None) -> Iterator[Finding]:
    secrets = held.pop(SECRET, set())
    for secret, position in one.secrets.items():
        if secret not in secrets:
            yield _claim(stream, SECRET, position, "the claim is missing")
    if secrets - one.secrets.keys():
        yield _extra(stream, SECRET, one.position)
    labels = held.pop(LABEL, set())
    if not one.is_revoked:
        yield from _one_of(stream, LABEL, one.position, labels, _opened(one.claims, key))
    elif labels:
        yield _extra(stream, LABEL, one.position)
    yield from (_extra(stream, kind, one.position) for kind in sorted(held))


def _opened(claims: bytes, key: AnyDataKey | None) -> dict[str, bytes] | None:
    """Hashes by kind; None if no claims are stored or no key is given; {} if they cannot be opened or decoded."""
    if not claims or key is None:
        return None
    try:
        return {claim.kind: claim.hash for claim in decode_claims(key.open(claims))}
    except (ValueError, msgspec.DecodeError):
        return {}


def _one_of(
    stream: str, kind: str, position: int, held: set[bytes], wanted: dict[str, bytes] | None
) -> Iterator[Finding]:
    if not held:
        yield _claim(stream, kind, position, "the claim is missing")
    elif len(held) > 1:
        yield _extra(stream, kind, position)
    elif wanted is not None and held != {wanted.get(kind)}:
        yield _claim(stream, kind, position, "the claim is not the one that was recorded")


def _extra(stream: str, kind: str, position: int | None) -> Finding:
    return _claim(stream, kind, position, "no event accounts for this claim")


def _claim(stream: str, kind: str, position: int | None, message: str) -> Finding:
    return Finding("claims", message, position, f"{stream} ledger.claims kind={kind}")


def _data_key(account: _AccountAccess, message: str) -> Finding:
    stream = f"account-{account.event.account_id}"
    return Finding("data_keys", f"the data key {message}", account.position, f"{stream} ledger.data_keys")
