"""Prints an account and its keys, for people."""

from collections.abc import Sequence

from adapters.inbound.cli.render.page import TerminalPage
from application.accounts.list_accounts import AccountLine
from application.accounts.show_account import ShownAccount
from application.keys.shown_key import ShownKey
from domain.money import format_usd

COLUMNS = ("key", "label", "kind", "env", "ends with", "limit", "spent", "requests", "expires", "disabled")


def show_account(view: ShownAccount) -> None:
    page = TerminalPage()
    names = f"{view.username} <{view.email}>" if view.username else "(the read models do not have this account yet)"
    page.line(f"{names}  {view.account_id}", style="bold")
    opened = f", opened {view.opened_at:%Y-%m-%d %H:%M} UTC" if view.opened_at else ""
    page.line(f"{view.state}{opened}")
    page.line(
        f"available ${format_usd(view.available_nusd)}  held ${format_usd(view.held_nusd)}"
        f"  settled ${format_usd(view.credits.settled_nusd)}"
    )
    show_keys(view.keys)


def show_accounts(accounts: Sequence[AccountLine]) -> None:
    rows = [(one.account_id, one.username, one.email, one.state, f"{one.opened_at:%Y-%m-%d %H:%M}") for one in accounts]
    TerminalPage().rows("Accounts", ("account", "username", "email", "state", "opened (UTC)"), rows)


def show_keys(keys: Sequence[ShownKey]) -> None:
    TerminalPage().rows("Keys (USD)", COLUMNS, [_row(key) for key in keys])


def _row(key: ShownKey) -> tuple[str, ...]:
    limit = f"{format_usd(key.limit_nusd)} {key.limit_window}" if key.limit_nusd is not None else "none"
    return (
        key.key_id,
        key.label,
        key.kind,
        key.environment,
        key.last4,
        limit,
        format_usd(key.spent_nusd),
        str(key.requests),
        f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
        "yes" if key.disabled else "no",
    )
