"""The calling key about itself, in OpenRouter's shape."""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Response

from adapters.inbound.http.callers import AnyCaller, Using
from adapters.inbound.http.routes.fresh_reads import After, catch_up
from adapters.inbound.http.shapes.json_shape import OptionalUsd, Usd, answer, answers
from adapters.inbound.http.shapes.key_shape import LimitReset, shown
from adapters.inbound.http.shapes.openrouter_members import NoOrganization
from application.reads.statements import StatementReads

router = APIRouter(tags=["account"])


class CurrentKey(NoOrganization, frozen=True, kw_only=True):
    """OpenRouter's members. `is_free_tier`: the account never bought credit; `workspace_id` is the account."""

    label: str
    usage: Usd
    usage_daily: Usd
    usage_weekly: Usd
    usage_monthly: Usd
    limit: OptionalUsd
    limit_remaining: OptionalUsd
    limit_reset: LimitReset | None
    is_free_tier: bool
    is_management_key: bool
    is_provisioning_key: bool
    expires_at: datetime | None
    workspace_id: str


class CurrentKeyAnswer(msgspec.Struct, frozen=True):
    data: CurrentKey


SHAPES = (CurrentKey, CurrentKeyAnswer)


@router.get("/v1/key", responses=answers(CurrentKeyAnswer, "The key that asks."))
async def get_current_key(caller: AnyCaller, gateway: Using, after: After = None) -> Response:
    await catch_up(gateway.reads.positions, caller.account_id, after)
    key = shown(await gateway.use_cases.show_key(caller.account_id, caller.key_id))
    is_manager = caller.kind == "management"
    return answer(
        CurrentKeyAnswer(
            CurrentKey(
                label=key.label,
                usage=key.usage,
                usage_daily=key.usage_daily,
                usage_weekly=key.usage_weekly,
                usage_monthly=key.usage_monthly,
                limit=key.limit,
                limit_remaining=key.limit_remaining,
                limit_reset=key.limit_reset,
                is_free_tier=not await _has_bought(gateway.reads.statements, caller.account_id),
                is_management_key=is_manager,
                is_provisioning_key=is_manager,
                expires_at=key.expires_at,
                workspace_id=key.workspace_id,
            )
        )
    )


async def _has_bought(statements: StatementReads, account_id: str) -> bool:
    statement = await statements.of_account(account_id, limit=1)
    return any(lot.kind == "purchased" for lot in statement.lots)
