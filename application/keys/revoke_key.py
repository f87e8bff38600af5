"""Revoke a key."""

from uuid import UUID

from application.keys.claim_label import label_claim
from application.keys.find_key import owned_key
from application.keys.shown_key import VISIBLE_WAIT_S
from application.sealed import opened
from application.write import Ports
from domain.api_key.api_key import API_KEY, Revoke
from domain.command_ids import step_id


async def revoke_key(ports: Ports, account_id: str, key_id: str) -> int:
    """The key stops working on every process within a second; its label is free again. Returns the event's position.

    There is no input to hash: the command id, derived from the key, alone ensures that it happens once.
    Raises: DomainError key_not_found.
    """
    key = await owned_key(ports, account_id, key_id)
    label = await opened(ports.personal_data, account_id, key.settings.label)
    recorded = await ports.ledger.transact(
        API_KEY,
        key_id,
        Revoke(at=ports.clock.now()),
        command_id=step_id(UUID(key_id), "revoke"),
        releases=(label_claim(ports, account_id, label),),
    )
    await ports.reads.positions.wait_for(recorded.position, VISIBLE_WAIT_S)
    return recorded.position
