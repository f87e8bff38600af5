"""What owners (/v1/keys) and admins (/admin/accounts/{id}/keys) do with keys: the same use cases under two shapes."""

import msgspec
from fastapi import Response

from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.shapes.json_shape import answer
from adapters.inbound.http.shapes.key_shape import Key, shown
from adapters.inbound.http.shapes.path_id import checked_id
from application.keys.change_key import ChangeKey
from application.keys.rotate_key import RotateKey
from application.write import Asked


class Rotation(RotateKey, frozen=True, kw_only=True):
    """The old secret works for `grace_s` more seconds: a day by default, 0 is allowed."""


class KeyAnswer(msgspec.Struct, frozen=True):
    data: Key


class RotatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the new secret, shown this once."""

    data: Key
    key: str


class Deleted(msgspec.Struct, frozen=True):
    deleted: bool = True


SHAPES = (Key, KeyAnswer, Rotation, RotatedKey, Deleted)


async def get_key(gateway: Gateway, account_id: str, key_id: str) -> Response:
    key = await gateway.use_cases.show_key(account_id, checked_id(key_id, "key_not_found"))
    return answer(KeyAnswer(shown(key)))


async def change_key(gateway: Gateway, account_id: str, key_id: str, change: ChangeKey, asked: Asked) -> Response:
    changed = await gateway.use_cases.change_key(account_id, checked_id(key_id, "key_not_found"), change, asked)
    return answer(KeyAnswer(shown(changed.key)), position=changed.position)


async def rotate_key(gateway: Gateway, account_id: str, key_id: str, rotation: Rotation, asked: Asked) -> Response:
    issued = await gateway.use_cases.rotate_key(account_id, checked_id(key_id, "key_not_found"), rotation, asked)
    return answer(RotatedKey(data=shown(issued.key), key=issued.secret), position=issued.position)


async def delete_key(gateway: Gateway, account_id: str, key_id: str) -> Response:
    """Stops working on every process within a second; its name is free again."""
    position = await gateway.use_cases.revoke_key(account_id, checked_id(key_id, "key_not_found"))
    return answer(Deleted(), position=position)
