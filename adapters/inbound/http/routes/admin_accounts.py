"""Accounts and their credit, for whoever has the admin key. `*_usd` are decimal strings both ways, exact to a nUSD."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response

from adapters.inbound.http.callers import AdminOnly, Using, admin_of, json_body
from adapters.inbound.http.routes.fresh_reads import After, catch_up
from adapters.inbound.http.server.request_headers import read_headers
from adapters.inbound.http.shapes.account_view import AccountView, known_account, view_account
from adapters.inbound.http.shapes.json_shape import accepts, answer, answers
from adapters.inbound.http.shapes.path_id import checked_id
from adapters.inbound.http.shapes.statement_view import StatementView, view_statement
from application.command_ids import named_id
from domain.account.events import AccountState
from domain.errors import DomainError
from domain.log import format_position
from domain.lot_kind import LotKind
from domain.money import format_usd, parse_usd

T = TypeVar("T")

ACCOUNTS_PER_ANSWER = 100

MAX_REQUESTS = 1_000
"""Requests on one statement: more is an export."""


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    username: str
    email: str


class OpenedAccount(msgspec.Struct, frozen=True):
    account_id: str


class NewGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`priority`: lower burns first; that of its kind unless told otherwise."""

    amount_usd: str
    kind: LotKind
    reason: str
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    priority: int | None = None


class Granted(msgspec.Struct, frozen=True):
    position: str
    available_usd: str


class NewState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`bot`, `suspended` and `closed` are not served; `past_due` and `inactive` spend purchased credit only."""

    state: AccountState
    reason: str


class ChangedState(msgspec.Struct, frozen=True):
    """`position` of the change; null if the account was in that state already."""

    account_id: str
    state: AccountState
    position: str | None


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    username: str
    email: str
    state: AccountState
    opened_at: datetime


class AccountList(msgspec.Struct, frozen=True):
    """`next` begins the next page, as `after_account`; null on the last."""

    data: list[AccountLine]
    next: str | None


SHAPES = (NewAccount, OpenedAccount, AccountList, NewGrant, Granted, NewState, ChangedState, AccountView, StatementView)

router = APIRouter(prefix="/admin/accounts", tags=["admin"], dependencies=[AdminOnly])

IDEMPOTENT: dict[str, Any] = {
    "parameters": [
        {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255}}
    ]
}


@router.get("", responses=answers(AccountList, "A page of accounts, oldest first."))
async def list_accounts(gateway: Using, after_account: Annotated[str, Query(max_length=100)] = "") -> Response:
    records = await gateway.reads.accounts.page(after_account, ACCOUNTS_PER_ANSWER + 1)
    opened = gateway.personal_data.open
    lines = [
        AccountLine(
            account_id=record.account_id,
            username=(await opened(record.account_id, record.username)).decode(),
            email=(await opened(record.account_id, record.email)).decode(),
            state=record.state,
            opened_at=record.opened_at,
        )
        for record in records[:ACCOUNTS_PER_ANSWER]
    ]
    return answer(AccountList(lines, lines[-1].account_id if len(records) > ACCOUNTS_PER_ANSWER else None))


@router.post(
    "", openapi_extra=accepts(NewAccount), status_code=201, responses=answers(OpenedAccount, "Opened, active.", 201)
)
async def open_account(new: Annotated[NewAccount, json_body(NewAccount, admin_of)], gateway: Using) -> Response:
    opened = await gateway.open_account(new.username, new.email)
    return answer(OpenedAccount(opened.account_id), status=201, position=opened.position)


@router.get("/{account_id}", responses=answers(AccountView, "The account as its streams have it now."))
async def get_account(account_id: str, gateway: Using, after: After = None) -> Response:
    checked_id(account_id, "account_not_found")
    await catch_up(gateway.reads.positions, account_id, after)
    return answer(await view_account(gateway, account_id))


@router.get("/{account_id}/statement", responses=answers(StatementView, "Lots, and requests, oldest first."))
async def get_statement(
    account_id: str,
    gateway: Using,
    limit: Annotated[int, Query(ge=1, le=MAX_REQUESTS)] = 100,
    after: After = None,
) -> Response:
    """The last `limit` requests; all of it as of one position."""
    checked_id(account_id, "account_not_found")
    await catch_up(gateway.reads.positions, account_id, after)
    await known_account(gateway, account_id)
    return answer(await view_statement(gateway, account_id, limit))


@router.post(
    "/{account_id}/state",
    openapi_extra={**accepts(NewState), **IDEMPOTENT},
    responses=answers(ChangedState, "In that state now; effective on every process within a second."),
)
async def change_state(
    account_id: str, new: Annotated[NewState, json_body(NewState, admin_of)], request: Request, gateway: Using
) -> Response:
    changed = await _named_once(
        gateway.change_account_state(
            checked_id(account_id, "account_not_found"),
            new.state,
            new.reason,
            change=_name_of("state", account_id, request),
        )
    )
    position = format_position(changed.position) if changed.position else None
    return answer(ChangedState(account_id, changed.state, position), position=changed.position)


@router.post(
    "/{account_id}/grants",
    openapi_extra={**accepts(NewGrant), **IDEMPOTENT},
    status_code=201,
    responses=answers(Granted, "A new lot, or with a known Idempotency-Key the one it made.", 201),
)
async def grant_credit(
    account_id: str, new: Annotated[NewGrant, json_body(NewGrant, admin_of)], request: Request, gateway: Using
) -> Response:
    granted = await _named_once(
        gateway.grant_credit(
            checked_id(account_id, "account_not_found"),
            parse_usd(new.amount_usd),
            new.kind,
            new.reason,
            actor="admin",
            expires_at=new.expires_at,
            priority=new.priority,
            grant=_name_of("grant", account_id, request),
        )
    )
    shown = Granted(format_position(granted.position), format_usd(granted.available_nusd))
    return answer(shown, status=201, position=granted.position)


def _name_of(deed: str, account_id: str, request: Request) -> UUID | None:
    """What an Idempotency-Key makes of a deed's id; None if there is none."""
    key = read_headers(request.scope["headers"]).idempotency_key
    return None if key is None else named_id(deed, account_id, key)


async def _named_once(deed: Awaitable[T]) -> T:
    """A name that stands for another input is an Idempotency-Key that was reused."""
    try:
        return await deed
    except DomainError as refusal:
        if refusal.code == "command_id_reused":
            raise DomainError("idempotency_key_reused") from None
        raise
