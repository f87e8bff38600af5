"""Find a key of an account, unless the key is revoked."""

from application.keys.claim_label import label_claim
from application.write import Ports
from domain.aggregates import owner_of
from domain.api_key.api_key import API_KEY, ApiKey
from domain.errors import DomainError


async def find_key(ports: Ports, account_id: str, key: str) -> str:
    """Returns the id of the account's key with this label or id. Raises: DomainError key_not_found."""
    stream = await ports.ledger.holder_of(label_claim(ports, account_id, key))
    key_id = key if stream is None else owner_of(stream)
    await owned_key(ports, account_id, key_id, key=key)
    return key_id


async def owned_key(ports: Ports, account_id: str, key_id: str, **facts: str) -> ApiKey:
    """The current state of the account's key. Raises: DomainError key_not_found, with `facts`."""
    found = await ports.ledger.state_of(API_KEY, key_id)
    if not found.exists or found.revoked or found.account_id != account_id:
        raise DomainError("key_not_found", **facts)
    return found
