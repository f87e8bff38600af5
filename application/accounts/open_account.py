"""Open an account: make its data key, then record the event, which is sealed with this key."""

import re

import msgspec

from application.sealed import Rule, Sealed, check_personal
from application.write import Asked, Claims, Input, Ports, sealed_claims, write
from domain.account.account import ACCOUNT, Open
from domain.claim import Claim
from domain.command_ids import step_id
from domain.errors import DomainError

USERNAME = re.compile(r"[\w.@+-]{1,64}")
USERNAME_RULE = "username must be 1 to 64 letters, digits or any of _.@+-"
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
MAX_EMAIL = 254
"""RFC 5321's limit for a path, without the angle brackets."""


class Username(Rule):
    @staticmethod
    def check(text: str) -> None:
        if not USERNAME.fullmatch(text):
            raise DomainError("invalid_request", param="username", message=USERNAME_RULE)


class Email(Rule):
    @staticmethod
    def check(text: str) -> None:
        if len(text) > MAX_EMAIL or not EMAIL.fullmatch(text) or not text.isprintable():
            raise DomainError("invalid_request", param="email", message="email must be an address like a@example.com")


class OpenAccount(Input, frozen=True, kw_only=True):
    username: Sealed[Username]
    email: Sealed[Email]


class OpenedAccount(msgspec.Struct, frozen=True):
    account_id: str
    position: int


async def open_account(ports: Ports, wanted: OpenAccount, asked: Asked) -> OpenedAccount:
    """Opened by an admin: active, without a trial (docs/reference/rules.md#accounts). Names are unique, ignoring case.

    Raises: DomainError invalid_request (param), claim_taken (kind: username or email).
    """
    check_personal(wanted)
    account = ports.ids.new()
    account_id = str(account)
    await ports.personal_data.create_key(account_id)
    claims = (username_claim(ports, wanted.username.clear), _claim(ports, "email", wanted.email.clear))
    kept_claims = await sealed_claims(ports, account_id, *claims)
    commitment = await ports.personal_data.commitment(account_id)
    now = ports.clock.now()
    recorded = await write(
        ports,
        ACCOUNT,
        account_id,
        lambda sealed: Open(
            at=now,
            account_id=account_id,
            username=sealed["username"],
            email=sealed["email"],
            claims=kept_claims,
            commitment=commitment,
        ),
        account_id=account_id,
        wanted=wanted,
        asked=asked,
        command_id=step_id(account, "open"),
        claims=Claims(claims),
    )
    return OpenedAccount(account_id, recorded.position)


def username_claim(ports: Ports, username: str) -> Claim:
    return _claim(ports, "username", username)


def _claim(ports: Ports, kind: str, value: str) -> Claim:
    return Claim(kind, ports.personal_data.keyed_hash(kind, value.casefold()))
