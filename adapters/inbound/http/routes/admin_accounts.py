"""Accounts and their credit, for the admin key. `*_usd` are decimal strings both ways, exact to a nUSD."""

from collections.abc import Awaitable
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request, Response

from adapters.inbound.http.callers import AdminOnly, Using, admin_of, json_body
from adapters.inbound.http.routes.fresh_reads import After, catch_up
from adapters.inbound.http.server.request_headers import read_headers
from adapters.inbound.http.shapes.account_view import AccountView, view_account
from adapters.inbound.http.shapes.json_shape import accepts, answer, answers
from adapters.inbound.http.shapes.path_id import checked_id
from adapters.inbound.http.shapes.statement_view import StatementView, view_statement
from application.accounts.change_account_state import ChangeAccountState
from application.accounts.list_accounts import AccountLine
from application.accounts.open_account import OpenAccount
from application.accounts.show_account import ShowAccount
from application.credit.grant_credit import GrantCredit
from application.credit.show_statement import ShowStatement
from application.write import Asked
from domain.account.events import AccountState
from domain.command_ids import named_id
from domain.errors import DomainError
from domain.log import format_position
from domain.money import format_usd

T = TypeVar("T")

ADMIN = Asked("admin")

ACCOUNTS_PER_ANSWER = 100

MAX_REQUESTS = 1_000
"""Requests on one statement: more is an export."""


class NewAccount(OpenAccount, frozen=True, kw_only=True):
    pass


class NewAccountId(msgspec.Struct, frozen=True):
    account_id: str


class NewGrant(GrantCredit, frozen=True, kw_only=True):
    """`priority`: lower burns first; by default that of its kind."""


class GrantedCredit(msgspec.Struct, frozen=True):
    position: str
    available_usd: str


class NewState(ChangeAccountState, frozen=True, kw_only=True):
    """`bot`, `suspended` and `closed` are not served; `past_due` and `inactive` spend purchased credit only."""


class ChangedState(msgspec.Struct, frozen=True):
    """`position` of the change; null if the account was in that state already."""

    account_id: str
    state: AccountState
    position: str | None


class AccountList(msgspec.Struct, frozen=True):
    """`next` begins the next page, as `after_account`; null on the last."""

    data: list[AccountLine]
    next: str | None


SHAPES = (
    NewAccount,
    NewAccountId,
    AccountList,
    NewGrant,
    GrantedCredit,
    NewState,
    ChangedState,
    AccountView,
    StatementView,
)

router = APIRouter(prefix="/admin/accounts", tags=["admin"], dependencies=[AdminOnly])

IDEMPOTENT: dict[str, object] = {
    "parameters": [
        {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 255}}
    ]
}


@router.get("", responses=answers(AccountList, "A page of accounts, oldest first."))
async def list_accounts(gateway: Using, after_account: Annotated[str, Query(max_length=100)] = "") -> Response:
    lines = await gateway.use_cases.list_accounts(after_account, ACCOUNTS_PER_ANSWER + 1)
    page = list(lines[:ACCOUNTS_PER_ANSWER])
    return answer(AccountList(page, page[-1].account_id if len(lines) > ACCOUNTS_PER_ANSWER else None))


@router.post(
    "", openapi_extra=accepts(NewAccount), status_code=201, responses=answers(NewAccountId, "Opened, active.", 201)
)
async def open_account(new: Annotated[NewAccount, json_body(NewAccount, admin_of)], gateway: Using) -> Response:
    opened = await gateway.use_cases.open_account(new, ADMIN)
    return answer(NewAccountId(opened.account_id), status=201, position=opened.position)


@router.get("/{account_id}", responses=answers(AccountView, "The account as its streams have it now."))
async def get_account(account_id: str, gateway: Using, after: After = None) -> Response:
    checked_id(account_id, "account_not_found")
    await catch_up(gateway.reads.positions, account_id, after)
    return answer(view_account(await gateway.use_cases.show_account(account_id, ShowAccount(patience_s=0))))


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
    statement = await gateway.use_cases.show_statement(account_id, ShowStatement(limit, patience_s=0))
    return answer(view_statement(statement))


@router.post(
    "/{account_id}/state",
    openapi_extra={**accepts(NewState), **IDEMPOTENT},
    responses=answers(ChangedState, "In that state now; effective on every process within a second."),
)
async def change_state(
    account_id: str, new: Annotated[NewState, json_body(NewState, admin_of)], request: Request, gateway: Using
) -> Response:
    changed = await _named_once(
        gateway.use_cases.change_account_state(
            checked_id(account_id, "account_not_found"), new, _named("state", account_id, request)
        )
    )
    position = format_position(changed.position) if changed.position else None
    return answer(ChangedState(account_id, changed.state, position), position=changed.position)


@router.post(
    "/{account_id}/grants",
    openapi_extra={**accepts(NewGrant), **IDEMPOTENT},
    status_code=201,
    responses=answers(GrantedCredit, "A new lot, or with a known Idempotency-Key the one it made.", 201),
)
async def grant_credit(
    account_id: str, new: Annotated[NewGrant, json_body(NewGrant, admin_of)], request: Request, gateway: Using
) -> Response:
    granted = await _named_once(
        gateway.use_cases.grant_credit(
            checked_id(account_id, "account_not_found"), new, _named("grant", account_id, request)
        )
    )
    shown = GrantedCredit(format_position(granted.position), format_usd(granted.available_nusd))
    return answer(shown, status=201, position=granted.position)


def _named(deed: str, account_id: str, request: Request) -> Asked:
    """Under the name that an Idempotency-Key makes, if there is one."""
    key = read_headers(request.scope["headers"]).idempotency_key
    return ADMIN if key is None else Asked("admin", named_id(deed, account_id, key))


async def _named_once(deed: Awaitable[T]) -> T:
    """A name that stands for another input is an Idempotency-Key that was reused."""
    try:
        return await deed
    except DomainError as refusal:
        if refusal.code == "command_id_reused":
            raise DomainError("idempotency_key_reused") from None
        raise
