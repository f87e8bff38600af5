"""The demo account: opened once per database, with $10 and a key for first requests."""

import hashlib
from pathlib import Path

from msgspec.structs import replace

from adapters.settings.credentials import Credentials
from adapters.settings.settings import Settings
from adapters.wiring.compose.operate import operate_on
from adapters.wiring.database.database import Database
from application.accounts.open_account import OpenAccount
from application.credit.grant_credit import GrantCredit
from application.keys.issue_key import IssueKey
from application.keys.rotate_key import RotateKey
from application.sealed import Sealed
from application.use_cases import UseCases
from application.write import Asked
from domain.command_ids import named_id
from domain.errors import DomainError

USERNAME = "demo"
EMAIL = "demo@example.com"
CREDIT = GrantCredit(amount_usd="10", kind="promo", reason=Sealed("credit to try Gatewayz with"))
OPERATOR = Asked("operator")


def open_demo(database: Database, settings: Settings, credentials: Credentials) -> Credentials:
    """Returns `credentials` with a demo key that works.

    Repairs what a crash left incomplete or unrecorded: account and grant are found or made under fixed ids, and a key
    gets a new secret if the old one is lost.

    Raises: OperatorError.
    """

    async def deed(use_cases: UseCases) -> tuple[str, str]:
        account_id = await _account(use_cases)
        grant = Asked("operator", named_id("demo grant", account_id))
        await use_cases.grant_credit(account_id, CREDIT, grant)
        return account_id, await _key(use_cases, account_id, settings.home)

    account_id, key = operate_on(database, settings, deed)
    return replace(credentials, demo_key=key, demo_account_id=account_id, ledger_id=database.ledger_id)


async def _account(use_cases: UseCases) -> str:
    try:
        return await use_cases.find_account(USERNAME)
    except DomainError as refusal:
        if refusal.code != "account_not_found":
            raise
    wanted = OpenAccount(username=Sealed(USERNAME), email=Sealed(EMAIL))
    return (await use_cases.open_account(wanted, OPERATOR)).account_id


async def _key(use_cases: UseCases, account_id: str, home: Path) -> str:
    """The secret of this home's key. Several homes may serve one database, so each has a key of its own."""
    label = f"demo {hashlib.blake2b(str(home).encode(), digest_size=4).hexdigest()}"
    try:
        key_id = await use_cases.find_key(account_id, label)
    except DomainError as refusal:
        if refusal.code != "key_not_found":
            raise
        wanted = IssueKey(label=Sealed(label), environment="test")
        return (await use_cases.issue_key(account_id, wanted, OPERATOR)).secret
    return (await use_cases.rotate_key(account_id, key_id, RotateKey(grace_s=0), OPERATOR)).secret
