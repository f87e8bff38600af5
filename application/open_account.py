"""Open an account: its data key first, then the event that is sealed with it."""

import re

import msgspec

from application.command_ids import step_id
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.ledger import Ledger
from application.ports.personal_data import PersonalData
from domain.account.account import ACCOUNT, Open
from domain.claim import Claim, encode_claims
from domain.errors import DomainError

USERNAME = re.compile(r"[\w.@+-]{1,64}")
USERNAME_RULE = "username must be 1 to 64 letters, digits or any of _.@+-"
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
MAX_EMAIL = 254
"""RFC 5321's limit of a path, less its angle brackets."""


class OpenedAccount(msgspec.Struct, frozen=True):
    account_id: str
    position: int


class OpenAccount:
    def __init__(self, ledger: Ledger, personal_data: PersonalData, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._personal_data = personal_data
        self._clock = clock
        self._ids = ids

    async def __call__(self, username: str, email: str) -> OpenedAccount:
        """Made by an admin: active, without a trial (PRODUCT §2). Names are unique regardless of case.

        Raises: DomainError invalid_request (param), claim_taken (kind: username or email).
        """
        if not USERNAME.fullmatch(username):
            raise DomainError("invalid_request", param="username", message=USERNAME_RULE)
        if len(email) > MAX_EMAIL or not EMAIL.fullmatch(email) or not email.isprintable():
            raise DomainError("invalid_request", param="email", message="email must be an address like a@example.com")
        account = self._ids.new()
        account_id = str(account)
        await self._personal_data.create_key(account_id)
        claims = (self._claim("username", username), self._claim("email", email))
        recorded = await self._ledger.transact(
            ACCOUNT,
            account_id,
            Open(
                at=self._clock.now(),
                account_id=account_id,
                username=await self._personal_data.seal(account_id, username.encode()),
                email=await self._personal_data.seal(account_id, email.encode()),
                claims=await self._personal_data.seal(account_id, encode_claims(claims)),
                commitment=await self._personal_data.commitment(account_id),
            ),
            command_id=step_id(account, "open"),
            claims=claims,
        )
        return OpenedAccount(account_id, recorded.position)

    def _claim(self, kind: str, value: str) -> Claim:
        return Claim(kind, self._personal_data.keyed_hash(kind, value.casefold()))
