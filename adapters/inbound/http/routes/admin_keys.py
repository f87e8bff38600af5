"""Any account's keys, for the admin key."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Response
from msgspec import UNSET, UnsetType

from adapters.inbound.http.callers import AdminOnly, Using, admin_of, json_body
from adapters.inbound.http.routes import key_actions
from adapters.inbound.http.routes.fresh_reads import After, catch_up
from adapters.inbound.http.routes.key_actions import Deleted, KeyAnswer, RotatedKey, Rotation
from adapters.inbound.http.shapes.json_shape import accepts, answer, answers
from adapters.inbound.http.shapes.key_shape import LimitReset
from adapters.inbound.http.shapes.path_id import checked_id
from application.keys.change_key import ChangeKey
from application.keys.issue_key import IssueKey
from application.keys.key_limit import limit_of
from application.sealed import Sealed
from application.write import Asked
from domain.api_key.events import Environment, KeyKind
from domain.money import parse_usd

ADMIN = Asked("admin")

Expiry = Annotated[datetime, msgspec.Meta(tz=True)] | None


class AdminNewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limit_usd` is a decimal string, for ever unless `limit_reset` names a window."""

    label: str
    environment: Environment
    kind: KeyKind = "inference"
    limit_usd: str | None = None
    limit_reset: LimitReset | None = None
    expires_at: Expiry = None


class AdminChangedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays; null removes a limit, its reset or an expiry."""

    label: str | None = None
    disabled: bool | None = None
    limit_usd: str | UnsetType | None = UNSET
    limit_reset: LimitReset | UnsetType | None = UNSET
    expires_at: Expiry | UnsetType = UNSET


class AdminIssuedKey(msgspec.Struct, frozen=True):
    """`api_key` is the secret, shown this once."""

    api_key: str
    key_id: str


SHAPES = (AdminNewKey, AdminChangedKey, AdminIssuedKey)

router = APIRouter(prefix="/admin/accounts/{account_id}/keys", tags=["admin"], dependencies=[AdminOnly])


@router.post(
    "", openapi_extra=accepts(AdminNewKey), status_code=201, responses=answers(AdminIssuedKey, "The new key.", 201)
)
async def issue_key(
    account_id: str, new: Annotated[AdminNewKey, json_body(AdminNewKey, admin_of)], gateway: Using
) -> Response:
    checked_id(account_id, "account_not_found")
    wanted = IssueKey(
        label=Sealed(new.label),
        environment=new.environment,
        kind=new.kind,
        limit=limit_of(_nusd(new.limit_usd), new.limit_reset),
        expires_at=new.expires_at,
    )
    issued = await gateway.use_cases.issue_key(account_id, wanted, ADMIN)
    return answer(AdminIssuedKey(issued.secret, issued.key_id), status=201, position=issued.position)


@router.get("/{key_id}", responses=answers(KeyAnswer, "One key of the account."))
async def get_key(account_id: str, key_id: str, gateway: Using, after: After = None) -> Response:
    await catch_up(gateway.reads.positions, checked_id(account_id, "account_not_found"), after)
    return await key_actions.get_key(gateway, account_id, key_id)


@router.patch("/{key_id}", openapi_extra=accepts(AdminChangedKey), responses=answers(KeyAnswer, "As it is now."))
async def change_key(
    account_id: str,
    key_id: str,
    change: Annotated[AdminChangedKey, json_body(AdminChangedKey, admin_of)],
    gateway: Using,
) -> Response:
    wanted = ChangeKey(
        label=None if change.label is None else Sealed(change.label),
        disabled=change.disabled,
        limit_nusd=UNSET if change.limit_usd is UNSET else _nusd(change.limit_usd),
        limit_window=change.limit_reset,
        expires_at=change.expires_at,
    )
    return await key_actions.change_key(gateway, account_id, key_id, wanted, ADMIN)


@router.delete("/{key_id}", responses=answers(Deleted, "The key is revoked."))
async def delete_key(account_id: str, key_id: str, gateway: Using) -> Response:
    return await key_actions.delete_key(gateway, account_id, key_id)


@router.post(
    "/{key_id}/rotate",
    openapi_extra=accepts(Rotation, required=False),
    responses=answers(RotatedKey, "The new secret."),
)
async def rotate_key(
    account_id: str,
    key_id: str,
    rotation: Annotated[Rotation, json_body(Rotation, admin_of, may_be_empty=True)],
    gateway: Using,
) -> Response:
    return await key_actions.rotate_key(gateway, account_id, key_id, rotation, ADMIN)


def _nusd(amount_usd: str | None) -> int | None:
    return None if amount_usd is None else parse_usd(amount_usd, "limit_usd")
