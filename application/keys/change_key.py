"""Change the settings of a key: label, limit, expiry, whether it is disabled."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from application.keys.claim_label import Label, label_claim
from application.keys.find_key import owned_key
from application.keys.key_limit import changed_limit
from application.keys.shown_key import VISIBLE_WAIT_S, ShownKey, as_shown, spending_of
from application.sealed import Sealed, check_personal, opened
from application.write import Asked, Claims, Input, Ports, Sealings, sealed_claims, write
from domain.api_key.api_key import API_KEY, ApiKey, Change
from domain.api_key.events import KeySettings
from domain.window import KeyLimit, Window


class ChangeKey(Input, frozen=True, kw_only=True):
    """New values. UNSET keeps the old one (None for label and disabled); None removes a limit, its window or an expiry.

    A window alone changes that of the limit.
    """

    label: Sealed[Label] | None = None
    disabled: bool | None = None
    limit_nusd: int | UnsetType | None = UNSET
    limit_window: Window | UnsetType | None = UNSET
    expires_at: datetime | UnsetType | None = UNSET


class ChangedSettings(msgspec.Struct, frozen=True):
    """position: of the event; 0 if nothing changed."""

    key: ShownKey
    position: int


async def change_key(ports: Ports, account_id: str, key_id: str, wanted: ChangeKey, asked: Asked) -> ChangedSettings:
    """Raises: DomainError key_not_found, account_erased, invalid_request (label, a window without a limit),
    invalid_amount (limit), invalid_expiry, claim_taken (key_label).
    """
    key = await owned_key(ports, account_id, key_id)
    check_personal(wanted)
    limit = changed_limit(key.settings.limit, wanted.limit_nusd, wanted.limit_window)
    claims = await _label_moves(ports, key, wanted)
    kept_claims = await sealed_claims(ports, account_id, *claims.taken)
    spending = await spending_of(ports, account_id, key_id)
    now = ports.clock.now()
    recorded = await write(
        ports,
        API_KEY,
        key_id,
        lambda sealed: Change(at=now, settings=_changed(key.settings, limit, wanted, sealed), claims=kept_claims),
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=asked.name or ports.ids.new(),
        claims=claims,
    )
    await ports.reads.positions.wait_for(recorded.position, VISIBLE_WAIT_S)
    changed = API_KEY.fold(key, recorded.events)
    return ChangedSettings(await as_shown(ports, changed, spending), recorded.position)


def _changed(old: KeySettings, limit: KeyLimit | None, wanted: ChangeKey, sealed: Sealings) -> KeySettings:
    return KeySettings(
        label=sealed["label"] or old.label,
        disabled=old.disabled if wanted.disabled is None else wanted.disabled,
        limit=limit,
        expires_at=old.expires_at if wanted.expires_at is UNSET else wanted.expires_at,
    )


async def _label_moves(ports: Ports, key: ApiKey, wanted: ChangeKey) -> Claims:
    if wanted.label is None:
        return Claims()
    old = await opened(ports.personal_data, key.account_id, key.settings.label)
    taken, released = [label_claim(ports, key.account_id, label) for label in (wanted.label.clear, old)]
    return Claims() if taken == released else Claims((taken,), (released,))
