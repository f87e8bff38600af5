"""The demo account: made once per database, with $10 and a key to try things with."""

import hashlib
from pathlib import Path

from msgspec.structs import replace

from adapters.settings.credentials import Credentials
from adapters.settings.settings import Settings
from adapters.wiring.compose.core import Core
from adapters.wiring.compose.operate import run_on_core
from adapters.wiring.database.database import Database
from application.command_ids import named_id
from application.grant_credit import GrantCredit
from application.manage_keys import ManageKeys
from application.open_account import OpenAccount
from domain.aggregates import owner_of
from domain.claim import Claim
from domain.money import NUSD_PER_USD

USERNAME = "demo"
EMAIL = "demo@example.com"
CREDIT_NUSD = 10 * NUSD_PER_USD
REASON = "credit to try Gatewayz with"


def open_demo(database: Database, settings: Settings, credentials: Credentials) -> Credentials:
    """`credentials` with a demo key that works. Whatever a crash left undone, or done and not written down, is mended:
    account and grant are looked up or made under fixed ids, a key whose secret is lost gets a new one.

    Raises: Complaint.
    """

    async def deed(core: Core) -> tuple[str, str]:
        account_id = await _account(core)
        grant_credit = GrantCredit(core.ledger, core.personal_data, core.clock, core.ids)
        grant = named_id("demo grant", account_id)
        await grant_credit(account_id, CREDIT_NUSD, "promo", REASON, actor="operator", grant=grant)
        return account_id, await _key(core, account_id, settings.home)

    account_id, key = run_on_core(database, settings, deed)
    return replace(credentials, demo_key=key, demo_account_id=account_id, ledger_id=database.ledger_id)


async def _account(core: Core) -> str:
    claim = Claim("username", core.personal_data.keyed_hash("username", USERNAME))
    stream = await core.ledger.holder_of(claim)
    if stream is not None:
        return owner_of(stream)
    open_account = OpenAccount(core.ledger, core.personal_data, core.clock, core.ids)
    return (await open_account(USERNAME, EMAIL)).account_id


async def _key(core: Core, account_id: str, home: Path) -> str:
    """The secret of this home's own key: several homes may serve one database, and none may take another's key away."""
    manage_keys = ManageKeys(core.ledger, core.personal_data, core.reads.positions, core.clock, core.ids)
    label = f"demo {hashlib.blake2b(str(home).encode(), digest_size=4).hexdigest()}"
    claim = Claim("key_label", core.personal_data.keyed_hash("key_label", f"{account_id} {label}"))
    stream = await core.ledger.holder_of(claim)
    if stream is not None:
        return (await manage_keys.rotate(account_id, owner_of(stream), grace_s=0)).secret
    return (await manage_keys.issue(account_id, label, "test")).secret
