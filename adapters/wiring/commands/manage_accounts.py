"""Accounts and credit from the command line: use cases, their answers with personal data opened."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from adapters.inbound.cli.render.views import AccountLine, AccountView, LotView, StatementView
from adapters.settings.settings import Settings
from adapters.wiring.commands.manage_keys import key_views
from adapters.wiring.compose.core import Core
from adapters.wiring.compose.operate import account_id_of, operate
from application.change_account_state import ChangeAccountState, ChangedState
from application.grant_credit import GrantCredit, Granted
from application.open_account import OpenAccount
from application.reads.accounts import AccountRecord
from application.reads.statements import LotRecord
from application.show_statement import ShowStatement
from domain.account.events import AccountState
from domain.lot_kind import LotKind

OPERATOR = "operator"
PAGE = 500

log = structlog.get_logger()


def open_account(settings: Settings, username: str, email: str) -> str:
    async def deed(core: Core) -> str:
        return (await OpenAccount(core.ledger, core.personal_data, core.clock, core.ids)(username, email)).account_id

    return operate(settings, deed)


def grant(
    settings: Settings,
    account: str,
    amount_nusd: int,
    kind: LotKind,
    reason: str,
    expires_at: datetime | None,
    priority: int | None,
) -> Granted:
    """Break-glass (PRODUCT §3): exempt from limits and approval, recorded with its actor, and told in the log."""

    async def deed(core: Core) -> Granted:
        account_id = await account_id_of(core, account)
        grant_credit = GrantCredit(core.ledger, core.personal_data, core.clock, core.ids)
        granted = await grant_credit(
            account_id, amount_nusd, kind, reason, actor=OPERATOR, expires_at=expires_at, priority=priority
        )
        log.warning("break-glass grant", account_id=account_id, amount_nusd=amount_nusd, position=granted.position)
        return granted

    return operate(settings, deed)


def change_state(settings: Settings, account: str, state: AccountState, reason: str) -> ChangedState:
    async def deed(core: Core) -> ChangedState:
        change = ChangeAccountState(core.ledger, core.personal_data, core.clock, core.ids)
        return await change(await account_id_of(core, account), state, reason)

    return operate(settings, deed)


def account(settings: Settings, account: str) -> AccountView:
    async def deed(core: Core) -> AccountView:
        account_id = await account_id_of(core, account)
        record, statement = await ShowStatement(core.reads)(account_id, 1)
        opened = core.personal_data.open
        return AccountView(
            account_id=account_id,
            username=(await opened(account_id, record.username)).decode(),
            email=(await opened(account_id, record.email)).decode(),
            state=record.state,
            opened_at=record.opened_at,
            available_nusd=statement.credits.available_nusd,
            credits=statement.credits,
            keys=await key_views(core, account_id),
        )

    return operate(settings, deed)


def accounts(settings: Settings) -> Sequence[AccountLine]:
    """All of them, oldest first."""

    async def deed(core: Core) -> Sequence[AccountLine]:
        lines: list[AccountLine] = []
        while page := await core.reads.accounts.page(lines[-1].account_id if lines else "", PAGE):
            lines += [await _line(core, record) for record in page]
        return lines

    return operate(settings, deed)


async def _line(core: Core, record: AccountRecord) -> AccountLine:
    opened = core.personal_data.open
    return AccountLine(
        account_id=record.account_id,
        username=(await opened(record.account_id, record.username)).decode(),
        email=(await opened(record.account_id, record.email)).decode(),
        state=record.state,
        opened_at=record.opened_at,
    )


def statement(settings: Settings, account: str, limit: int) -> StatementView:
    async def deed(core: Core) -> StatementView:
        record, statement = await ShowStatement(core.reads)(await account_id_of(core, account), limit)
        return StatementView(
            account_id=record.account_id,
            username=(await core.personal_data.open(record.account_id, record.username)).decode(),
            available_nusd=statement.credits.available_nusd,
            credits=statement.credits,
            lots=[await _lot(core, record, lot) for lot in statement.lots],
            requests=statement.requests,
            position=statement.position,
        )

    return operate(settings, deed)


async def _lot(core: Core, record: AccountRecord, lot: LotRecord) -> LotView:
    return LotView(
        lot_id=lot.lot_id,
        kind=lot.kind,
        priority=lot.priority,
        granted_nusd=lot.granted_nusd,
        burnt_nusd=lot.burnt_nusd,
        expired_nusd=lot.expired_nusd,
        held_nusd=lot.held_nusd,
        available_nusd=lot.available_nusd,
        granted_at=lot.granted_at,
        expires_at=lot.expires_at,
        source=lot.source,
        reason=(await core.personal_data.open(record.account_id, lot.reason)).decode(),
        position=lot.position,
    )
