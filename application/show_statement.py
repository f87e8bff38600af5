"""An account's statement: what was granted, what each request reserved, used and cost, what is available."""

from application.reads.accounts import AccountRecord
from application.reads.reads import Reads
from application.reads.statements import Statement
from domain.errors import DomainError

MAX_REQUESTS = 10_000
"""A statement is read by people; whoever wants more pages through generations."""

PATIENCE_S = 1.0
"""How long to wait for the account's newest events (DESIGN §6); then what is known is told, as of its position."""


class ShowStatement:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def __call__(self, account_id: str, limit: int = 100) -> tuple[AccountRecord, Statement]:
        """The account and its statement with the last `limit` requests, including the caller's own finished ones.

        Raises: DomainError account_not_found, invalid_request (limit).
        """
        if not 0 < limit <= MAX_REQUESTS:
            raise DomainError("invalid_request", param="limit", message=f"limit must be from 1 to {MAX_REQUESTS}")
        await self._reads.positions.wait_for_account(account_id, PATIENCE_S)
        account = await self._reads.accounts.find(account_id)
        if account is None:
            raise DomainError("account_not_found", account_id=account_id)
        return account, await self._reads.statements.of_account(account_id, limit)
