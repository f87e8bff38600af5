"""Accounts by the thousand, each with a key and credit, made by the use cases themselves beside a running gateway."""

import asyncio
from collections.abc import Sequence

from adapters.settings.read_environment import read_settings
from adapters.wiring.compose.operate import operate
from application.accounts.open_account import OpenAccount
from application.credit.grant_credit import GrantCredit
from application.keys.issue_key import IssueKey
from application.sealed import Sealed
from application.use_cases import UseCases
from application.write import Asked
from tests.rigs.running import Gateway

OPERATOR = Asked("operator")
KEY = IssueKey(label=Sealed("bench"), environment="live")
CREDIT = GrantCredit(amount_usd="1000", kind="purchased", reason=Sealed("credit for a benchmark"))

AT_ONCE = 500
"""Per connection of an operator: group commits of hundreds, well within an operator's patience."""


def open_accounts(gateway: Gateway, count: int, prefix: str = "many") -> list[str]:
    """The keys of `count` new accounts with 1,000 USD each."""
    settings = read_settings(gateway.environment)
    keys: list[str] = []
    for first in range(0, count, AT_ONCE):
        names = [f"{prefix}-{n}" for n in range(first, min(first + AT_ONCE, count))]
        keys += operate(settings, lambda use_cases, names=names: _open(use_cases, names))  # type: ignore[misc]
    return keys


async def _open(use_cases: UseCases, names: Sequence[str]) -> list[str]:
    return await asyncio.gather(*(_open_one(use_cases, name) for name in names))


async def _open_one(use_cases: UseCases, name: str) -> str:
    wanted = OpenAccount(username=Sealed(name), email=Sealed(f"{name}@example.com"))
    opened = await use_cases.open_account(wanted, OPERATOR)
    issued = await use_cases.issue_key(opened.account_id, KEY, OPERATOR)
    await use_cases.grant_credit(opened.account_id, CREDIT, OPERATOR)
    return issued.secret
