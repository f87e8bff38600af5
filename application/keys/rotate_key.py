"""Rotate a key: it gets a new secret and keeps its id, limits and spend."""

from application.keys.find_key import owned_key
from application.keys.issue_key import IssuedKey
from application.keys.make_secret import make_secret
from application.keys.shown_key import VISIBLE_WAIT_S, as_shown, spending_of
from application.write import Asked, Claims, Input, Ports, write
from domain.api_key.api_key import API_KEY, Rotate
from domain.api_key.ranges import DEFAULT_GRACE_S


class RotateKey(Input, frozen=True, kw_only=True):
    """grace_s: seconds for which the old secret still works; by default a day, 0 is allowed."""

    grace_s: int = DEFAULT_GRACE_S


async def rotate_key(ports: Ports, account_id: str, key_id: str, wanted: RotateKey, asked: Asked) -> IssuedKey:
    """Reads that may fail come before the rotation: the new secret is shown once.

    Raises: DomainError key_not_found, invalid_grace.
    """
    key = await owned_key(ports, account_id, key_id)
    secret = make_secret(ports, key.environment)
    now = ports.clock.now()
    spending = await spending_of(ports, account_id, key_id)
    recorded = await write(
        ports,
        API_KEY,
        key_id,
        lambda _: Rotate(at=now, secret=secret.hashed, grace_s=wanted.grace_s),
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=asked.name or ports.ids.new(),
        claims=Claims((secret.claim,)),
    )
    await ports.reads.positions.wait_for(recorded.position, VISIBLE_WAIT_S)
    rotated = API_KEY.fold(key, recorded.events)
    return IssuedKey(await as_shown(ports, rotated, spending), secret.text, recorded.position)
