"""Reading what was written: read models lag behind the log by some 50 ms, a caller must not notice
(docs/explanation/projections.md)."""

from typing import Annotated

from fastapi import Query

from application.reads.positions import PositionReads
from domain.errors import DomainError
from domain.log import parse_position

MAX_WAIT_S = 5.0
"""For a position named by ?after; projections that lag longer than this are an incident, and /ready fails."""

After = Annotated[
    str | None,
    Query(description="Wait until the answer holds the log up to this position, as `x-gatewayz-position` gave it."),
]


async def catch_up(positions: PositionReads, account_id: str, after: str | None) -> None:
    """Without `after`, wait a moment for the account's last position at arrival, then answer from what there is.

    Raises: DomainError invalid_request if `after` is no position, position_not_reached if it does not come in time.
    """
    if after is None:
        await positions.wait_for_account(account_id)
        return
    position = parse_position(after)
    if position is None:
        raise DomainError("invalid_request", param="after", message="after must be a position such as 0-1234")
    if not await positions.wait_for(position, MAX_WAIT_S):
        raise DomainError("position_not_reached", after=after)
