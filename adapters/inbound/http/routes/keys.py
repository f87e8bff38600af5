"""An account's API keys, in OpenRouter's shape. Any key may look, only a management key may change anything."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from msgspec import UNSET, UnsetType

from adapters.inbound.http.callers import AnyCaller, Manager, Using, json_body, manager_of
from adapters.inbound.http.routes import key_actions
from adapters.inbound.http.routes.fresh_reads import After, catch_up
from adapters.inbound.http.routes.key_actions import Deleted, KeyAnswer, RotatedKey, Rotation
from adapters.inbound.http.shapes.json_shape import OptionalUsd, accepts, answer, answers, read_usd
from adapters.inbound.http.shapes.key_shape import Key, LimitReset, shown
from application.keys.change_key import ChangeKey
from application.keys.issue_key import IssueKey
from application.keys.key_limit import limit_of
from application.keys.list_keys import ListKeys
from application.sealed import Sealed
from application.write import Asked
from domain.api_key.events import Environment

KEYS_PER_ANSWER = 100
"""As OpenRouter has it; `offset` skips."""

OWNER = Asked("owner")

Expiry = Annotated[datetime, msgspec.Meta(tz=True)] | None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """`limit` is USD, for ever unless `limit_reset` names a window. Only admins make management keys."""

    name: str
    limit: OptionalUsd | UnsetType = UNSET
    limit_reset: LimitReset | None = None
    expires_at: Expiry = None
    environment: Environment = "live"


class ChangedKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is absent stays; null removes a limit, its reset or an expiry."""

    name: str | None = None
    disabled: bool | None = None
    limit: OptionalUsd | UnsetType = UNSET
    limit_reset: LimitReset | UnsetType | None = UNSET
    expires_at: Expiry | UnsetType = UNSET


class KeysAnswer(msgspec.Struct, frozen=True):
    data: list[Key]


class IssuedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the secret, shown this once."""

    data: Key
    key: str


SHAPES = (NewKey, ChangedKey, KeysAnswer, IssuedAnswer, *key_actions.SHAPES)

router = APIRouter(tags=["keys"])


@router.get("/v1/keys", responses=answers(KeysAnswer, "Oldest first; revoked keys are not listed."))
async def list_keys(
    caller: AnyCaller,
    gateway: Using,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
    include_disabled: bool = True,
    after: After = None,
) -> Response:
    await catch_up(gateway.reads.positions, caller.account_id, after)
    wanted = ListKeys(offset=offset, limit=KEYS_PER_ANSWER, include_disabled=include_disabled)
    keys = await gateway.use_cases.list_keys(caller.account_id, wanted)
    return answer(KeysAnswer([shown(key) for key in keys]))


@router.post(
    "/v1/keys", openapi_extra=accepts(NewKey), status_code=201, responses=answers(IssuedAnswer, "The new key.", 201)
)
async def issue_key(new: Annotated[NewKey, json_body(NewKey, manager_of)], caller: Manager, gateway: Using) -> Response:
    limit_nusd = None if new.limit is UNSET else read_usd(new.limit, "limit")
    with gateway.accounts.new_key(caller.account_id):
        wanted = IssueKey(
            label=Sealed(new.name),
            environment=new.environment,
            limit=limit_of(limit_nusd, new.limit_reset),
            expires_at=new.expires_at,
        )
        issued = await gateway.use_cases.issue_key(caller.account_id, wanted, OWNER)
    return answer(IssuedAnswer(data=shown(issued.key), key=issued.secret), status=201, position=issued.position)


@router.get("/v1/keys/{hash}", responses=answers(KeyAnswer, "One key of the account."))
async def get_key(
    hash: str,
    caller: AnyCaller,
    gateway: Using,
    after: After = None,
) -> Response:
    await catch_up(gateway.reads.positions, caller.account_id, after)
    return await key_actions.get_key(gateway, caller.account_id, hash)


@router.patch("/v1/keys/{hash}", openapi_extra=accepts(ChangedKey), responses=answers(KeyAnswer, "As it is now."))
async def change_key(
    hash: str,
    change: Annotated[ChangedKey, json_body(ChangedKey, manager_of)],
    caller: Manager,
    gateway: Using,
) -> Response:
    wanted = ChangeKey(
        label=None if change.name is None else Sealed(change.name),
        disabled=change.disabled,
        limit_nusd=UNSET if change.limit is UNSET else read_usd(change.limit, "limit"),
        limit_window=change.limit_reset,
        expires_at=change.expires_at,
    )
    return await key_actions.change_key(gateway, caller.account_id, hash, wanted, OWNER)


@router.delete("/v1/keys/{hash}", responses=answers(Deleted, "The key is revoked."))
async def delete_key(hash: str, caller: Manager, gateway: Using) -> Response:
    """Needs no body."""
    return await key_actions.delete_key(gateway, caller.account_id, hash)


@router.post(
    "/v1/keys/{hash}/rotate",
    openapi_extra=accepts(Rotation, required=False),
    responses=answers(RotatedKey, "The new secret."),
)
async def rotate_key(
    hash: str,
    rotation: Annotated[Rotation, json_body(Rotation, manager_of, may_be_empty=True)],
    caller: Manager,
    gateway: Using,
) -> Response:
    """Same key, limits and spending; another secret."""
    with gateway.accounts.new_key(caller.account_id):
        return await key_actions.rotate_key(gateway, caller.account_id, hash, rotation, OWNER)
