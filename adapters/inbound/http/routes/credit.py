"""An account's credit, as OpenRouter names it."""

import msgspec
from fastapi import APIRouter, Response

from adapters.inbound.http.callers import AnyCaller, Using
from adapters.inbound.http.routes.fresh_reads import After, catch_up
from adapters.inbound.http.shapes.json_shape import Usd, answer, answers, usd
from domain.money import format_usd


class CreditTotals(msgspec.Struct, frozen=True):
    """USD. What was granted less what lapsed, and what was charged; their difference is posted credit. The next
    purchased grant pays `owed_usd` first."""

    total_credits: Usd
    total_usage: Usd
    owed_usd: str


class CreditsAnswer(msgspec.Struct, frozen=True):
    data: CreditTotals


SHAPES = (CreditTotals, CreditsAnswer)

router = APIRouter(tags=["account"])


@router.get("/v1/credits", responses=answers(CreditsAnswer, "Of the account that the key belongs to."))
async def get_credits(caller: AnyCaller, gateway: Using, after: After = None) -> Response:
    await catch_up(gateway.reads.positions, caller.account_id, after)
    known = await gateway.reads.credits.of_account(caller.account_id)
    totals = CreditTotals(usd(known.total_credits_nusd), usd(known.total_usage_nusd), format_usd(known.owed_nusd))
    return answer(CreditsAnswer(totals))
