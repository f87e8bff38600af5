"""Accounts by the thousand, each with a key and credit, made by the use cases themselves beside a running gateway."""

import asyncio
from collections.abc import Sequence

from adapters.settings.read_environment import read_settings
from adapters.wiring.compose.core import Core
from adapters.wiring.compose.operate import operate
from application.grant_credit import GrantCredit
from application.manage_keys import ManageKeys
from application.open_account import OpenAccount
from tests.running import Gateway

AT_ONCE = 500
"""Per connection of an operator: group commits of hundreds, well within an operator's patience."""


def open_accounts(gateway: Gateway, count: int, prefix: str = "many") -> list[str]:
    """The keys of `count` new accounts with 1,000 USD each."""
    settings = read_settings(gateway.environment)
    keys: list[str] = []
    for first in range(0, count, AT_ONCE):
        names = [f"{prefix}-{n}" for n in range(first, min(first + AT_ONCE, count))]
        keys += operate(settings, lambda core, names=names: _open(core, names))  # type: ignore[misc]
    return keys


async def _open(core: Core, names: Sequence[str]) -> list[str]:
    return await asyncio.gather(*(_open_one(core, name) for name in names))


async def _open_one(core: Core, name: str) -> str:
    common = core.ledger, core.personal_data, core.clock, core.ids
    opened = await OpenAccount(*common)(name, f"{name}@example.com")
    keys = ManageKeys(core.ledger, core.personal_data, core.reads.positions, core.clock, core.ids)
    issued = await keys.issue(opened.account_id, "bench", "live")
    await GrantCredit(*common)(opened.account_id, 1_000 * 10**9, "purchased", "credit for a benchmark", actor="bench")
    return issued.secret
