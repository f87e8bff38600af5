"""Change the settings of a key: label, limit, expiry, whether it is disabled."""

from datetime import datetime

from application.keys.claim_label import Label, label_claim
from application.keys.find_key import owned_key
from application.sealed import Sealed, check_personal, opened
from application.write import Asked, Claims, Input, Ports, Sealings, sealed_claims, write
from domain.api_key.api_key import API_KEY, ApiKey, Change
from domain.api_key.events import KeySettings
from domain.window import KeyLimit


class ChangeKey(Input, frozen=True, kw_only=True):
    """New values; None keeps the old one. clear: names of the fields to remove (limit, expires_at)."""

    label: Sealed[Label] | None = None
    disabled: bool | None = None
    limit: KeyLimit | None = None
    expires_at: datetime | None = None
    clear: frozenset[str] = frozenset()


async def change_key(ports: Ports, account_id: str, key_id: str, wanted: ChangeKey, asked: Asked) -> int:
    """Returns the position of the event (0 if nothing changed).

    Raises: DomainError key_not_found, account_erased, invalid_request (label), invalid_amount (limit),
            invalid_expiry, claim_taken (key_label).
    """
    key = await owned_key(ports, account_id, key_id)
    check_personal(wanted)
    claims = await _label_moves(ports, key, wanted)
    kept_claims = await sealed_claims(ports, account_id, *claims.taken)
    now = ports.clock.now()
    recorded = await write(
        ports,
        API_KEY,
        key_id,
        lambda sealed: Change(at=now, settings=_changed(key.settings, wanted, sealed), claims=kept_claims),
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=asked.name or ports.ids.new(),
        claims=claims,
    )
    return recorded.position


def _changed(old: KeySettings, wanted: ChangeKey, sealed: Sealings) -> KeySettings:
    return KeySettings(
        label=sealed["label"] or old.label,
        disabled=old.disabled if wanted.disabled is None else wanted.disabled,
        limit=None if "limit" in wanted.clear else wanted.limit or old.limit,
        expires_at=None if "expires_at" in wanted.clear else wanted.expires_at or old.expires_at,
    )


async def _label_moves(ports: Ports, key: ApiKey, wanted: ChangeKey) -> Claims:
    if wanted.label is None:
        return Claims()
    old = await opened(ports.personal_data, key.account_id, key.settings.label)
    taken, released = [label_claim(ports, key.account_id, label) for label in (wanted.label.clear, old)]
    return Claims() if taken == released else Claims((taken,), (released,))
