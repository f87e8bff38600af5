"""Find an account by its id or its username."""

from uuid import UUID

from application.accounts.open_account import username_claim
from application.write import Ports
from domain.aggregates import owner_of
from domain.errors import DomainError


async def find_account(ports: Ports, account: str) -> str:
    """Returns the account's id; an id is returned unchecked. Raises: DomainError account_not_found."""
    try:
        return str(UUID(account))
    except ValueError:
        stream = await ports.ledger.holder_of(username_claim(ports, account))
    if stream is None:
        raise DomainError("account_not_found", account=account)
    return owner_of(stream)
