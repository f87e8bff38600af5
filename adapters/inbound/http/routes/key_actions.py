"""What owners (/v1/keys) and admins (/admin/accounts/{id}/keys) do with keys: the same deeds under two shapes."""

from datetime import datetime

import msgspec
from fastapi import Response
from msgspec import UNSET, UnsetType

from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.shapes.json_shape import answer
from adapters.inbound.http.shapes.key_shape import Key, LimitReset, changed_limit, shown
from adapters.inbound.http.shapes.path_id import checked_id
from application.keys.change_key import ChangeKey
from application.keys.rotate_key import RotateKey
from application.reads.keys import KeySpending
from application.sealed import Sealed
from application.write import Asked
from domain.api_key.api_key import API_KEY, ApiKey
from domain.errors import DomainError

VISIBLE_WAIT_S = 1.0
"""A change answers when the read models show it, or after this; the keys of a list come from there."""


class Rotation(RotateKey, frozen=True, kw_only=True):
    """The old secret works for `grace_s` more seconds: a day by default, 0 is allowed."""


class RotatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the new secret, shown this once."""

    data: Key
    key: str


class Deleted(msgspec.Struct, frozen=True):
    deleted: bool = True


SHAPES = (Key, Rotation, RotatedKey, Deleted)


async def show_key(gateway: Gateway, account_id: str, key_id: str) -> Key:
    """A key that is not revoked, from its stream; its spending, from the read model."""
    key = await key_of(gateway, account_id, key_id)
    return await shown(key, await spending_of(gateway, account_id, key_id), gateway.personal_data)


async def show_new_key(gateway: Gateway, account_id: str, key_id: str) -> Key:
    """A key that was just issued. No read model is asked: its secret is shown once, and a failed read would lose it."""
    return await shown(await key_of(gateway, account_id, key_id), KeySpending(), gateway.personal_data)


async def key_of(gateway: Gateway, account_id: str, key_id: str) -> ApiKey:
    key = await gateway.ledger.state_of(API_KEY, checked_id(key_id, "key_not_found"))
    if not key.exists or key.revoked or key.account_id != account_id:
        raise DomainError("key_not_found")
    return key


async def spending_of(gateway: Gateway, account_id: str, key_id: str) -> KeySpending:
    record = await gateway.reads.keys.find(account_id, key_id, gateway.clock.now())
    return record.spending if record else KeySpending()


class KeyPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What to change: UNSET (for name and disabled: None) leaves as is, None removes."""

    name: str | None
    disabled: bool | None
    limit_nusd: int | UnsetType | None
    limit_reset: LimitReset | UnsetType | None
    expires_at: datetime | UnsetType | None


async def change_key(gateway: Gateway, account_id: str, key_id: str, patch: KeyPatch, asked: Asked) -> tuple[Key, int]:
    """The key as it is now, and the position of the change, 0 if nothing changed."""
    key = await gateway.ledger.state_of(API_KEY, checked_id(key_id, "key_not_found"))
    limit = changed_limit(key.settings.limit, patch.limit_nusd, patch.limit_reset)
    cleared = {"limit": limit is None, "expires_at": patch.expires_at is None}
    change = ChangeKey(
        label=None if patch.name is None else Sealed(patch.name),
        disabled=patch.disabled,
        limit=limit,
        expires_at=None if patch.expires_at is UNSET else patch.expires_at,
        clear=frozenset(field for field, is_cleared in cleared.items() if is_cleared),
    )
    position = await gateway.use_cases.change_key(account_id, key_id, change, asked)
    await gateway.reads.positions.wait_for(position, VISIBLE_WAIT_S)
    return await show_key(gateway, account_id, key_id), position


async def rotate_key(gateway: Gateway, account_id: str, key_id: str, rotation: Rotation, asked: Asked) -> Response:
    """Reads that may fail come before the rotation: the new secret is shown once."""
    checked_id(key_id, "key_not_found")
    spending = await spending_of(gateway, account_id, key_id)
    issued = await gateway.use_cases.rotate_key(account_id, key_id, rotation, asked)
    key = await shown(await key_of(gateway, account_id, key_id), spending, gateway.personal_data)
    return answer(RotatedKey(data=key, key=issued.secret), position=issued.position)


async def delete_key(gateway: Gateway, account_id: str, key_id: str) -> Response:
    """Dead on every process within a second; its name is free again."""
    position = await gateway.use_cases.revoke_key(account_id, checked_id(key_id, "key_not_found"))
    await gateway.reads.positions.wait_for(position, VISIBLE_WAIT_S)
    return answer(Deleted(), position=position)
