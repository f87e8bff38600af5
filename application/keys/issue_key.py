"""Issue an API key."""

from datetime import datetime

import msgspec

from application.keys.claim_label import Label, label_claim
from application.keys.make_secret import make_secret
from application.keys.shown_key import VISIBLE_WAIT_S, ShownKey, as_shown
from application.reads.keys import KeySpending
from application.sealed import Sealed, check_personal
from application.write import Asked, Claims, Input, Ports, known_account, sealed_claims, write
from domain.api_key.api_key import API_KEY, Issue
from domain.api_key.events import Environment, KeyKind, KeySettings
from domain.command_ids import step_id
from domain.window import KeyLimit


class IssueKey(Input, frozen=True, kw_only=True):
    label: Sealed[Label]
    environment: Environment
    kind: KeyKind = "inference"
    limit: KeyLimit | None = None
    expires_at: datetime | None = None


class IssuedKey(msgspec.Struct, frozen=True):
    """`secret` is the only copy."""

    key: ShownKey
    secret: str
    position: int

    @property
    def key_id(self) -> str:
        return self.key.key_id


async def issue_key(ports: Ports, account_id: str, wanted: IssueKey, asked: Asked) -> IssuedKey:
    """Issue a key of an existing account, with a label that is unique in the account.

    After the append nothing is read that may fail: the secret is shown once.
    Raises: DomainError account_not_found, account_erased, invalid_request (label), invalid_amount (limit),
            invalid_expiry, claim_taken (key_label).
    """
    await known_account(ports, account_id)
    check_personal(wanted)
    key = ports.ids.new()
    secret = make_secret(ports, wanted.environment)
    claim = label_claim(ports, account_id, wanted.label.clear)
    kept_claims = await sealed_claims(ports, account_id, claim)
    now = ports.clock.now()
    recorded = await write(
        ports,
        API_KEY,
        str(key),
        lambda sealed: Issue(
            at=now,
            key_id=str(key),
            account_id=account_id,
            kind=wanted.kind,
            environment=wanted.environment,
            secret=secret.hashed,
            settings=KeySettings(label=sealed["label"], limit=wanted.limit, expires_at=wanted.expires_at),
            claims=kept_claims,
        ),
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=step_id(key, "issue"),
        claims=Claims((claim, secret.claim)),
    )
    await ports.reads.positions.wait_for(recorded.position, VISIBLE_WAIT_S)
    issued = API_KEY.fold(API_KEY.initial, recorded.events)
    return IssuedKey(await as_shown(ports, issued, KeySpending()), secret.text, recorded.position)
