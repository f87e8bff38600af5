"""API keys from the command line."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from adapters.inbound.cli.render.views import KeyView
from adapters.settings.settings import Settings
from adapters.wiring.compose.core import Core
from adapters.wiring.compose.operate import account_id_of, operate
from application.manage_keys import IssuedKey, ManageKeys
from application.reads.keys import KeyRecord
from domain.api_key.events import Environment, KeyKind
from domain.errors import DomainError
from domain.window import KeyLimit

T = TypeVar("T")


def issue(
    settings: Settings,
    account: str,
    label: str,
    environment: Environment,
    kind: KeyKind,
    limit: KeyLimit | None,
    expires_at: datetime | None,
) -> IssuedKey:
    return _manage(settings, account, lambda keys, id: keys.issue(id, label, environment, kind, limit, expires_at))


def rotate(settings: Settings, account: str, key: str, grace_s: int) -> IssuedKey:
    return _manage_one(settings, account, key, lambda keys, owner, id: keys.rotate(owner, id, grace_s))


def revoke(settings: Settings, account: str, key: str) -> int:
    return _manage_one(settings, account, key, lambda keys, owner, id: keys.revoke(owner, id))


def keys(settings: Settings, account: str) -> Sequence[KeyView]:
    async def deed(core: Core) -> Sequence[KeyView]:
        return await key_views(core, await account_id_of(core, account))

    return operate(settings, deed)


async def key_views(core: Core, account_id: str) -> Sequence[KeyView]:
    """The account's keys that are not revoked, oldest first, their labels opened."""
    return [await _view(core, record) for record in await core.reads.keys.of_account(account_id, core.clock.now())]


def _manage(settings: Settings, account: str, deed: Callable[[ManageKeys, str], Awaitable[T]]) -> T:
    async def run(core: Core) -> T:
        manage_keys = ManageKeys(core.ledger, core.personal_data, core.reads.positions, core.clock, core.ids)
        return await deed(manage_keys, await account_id_of(core, account))

    return operate(settings, run)


def _manage_one(settings: Settings, account: str, key: str, deed: Callable[[ManageKeys, str, str], Awaitable[T]]) -> T:
    """`deed` gets the account's id and the key's; `key` is its id or its label."""

    async def run(core: Core) -> T:
        account_id = await account_id_of(core, account)
        manage_keys = ManageKeys(core.ledger, core.personal_data, core.reads.positions, core.clock, core.ids)
        return await deed(manage_keys, account_id, await _key_id_of(core, account_id, key))

    return operate(settings, run)


async def _key_id_of(core: Core, account_id: str, key: str) -> str:
    """Raises: DomainError key_not_found."""
    for view in await key_views(core, account_id):
        if key in (view.key_id, view.label):
            return view.key_id
    raise DomainError("key_not_found", key=key)


async def _view(core: Core, record: KeyRecord) -> KeyView:
    key = record.key
    limit = key.settings.limit
    return KeyView(
        key_id=key.key_id,
        label=(await core.personal_data.open(key.account_id, key.settings.label)).decode(),
        kind=key.kind,
        environment=key.environment,
        last4=key.secret.last4,
        disabled=key.settings.disabled,
        issued_at=key.issued_at,
        expires_at=key.settings.expires_at,
        limit_nusd=limit.limit_nusd if limit else None,
        limit_window=limit.window if limit else None,
        spent_nusd=record.spending.total_nusd,
        requests=record.spending.requests,
    )
