"""Show a key of an account."""

from application.keys.find_key import owned_key
from application.keys.shown_key import ShownKey, as_shown, spending_of
from application.write import Ports


async def show_key(ports: Ports, account_id: str, key_id: str) -> ShownKey:
    """Its settings from its stream, its spending from the read models. Raises: DomainError key_not_found."""
    key = await owned_key(ports, account_id, key_id)
    return await as_shown(ports, key, await spending_of(ports, account_id, key_id))
