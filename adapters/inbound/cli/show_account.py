"""An account and its keys, for people."""

from collections.abc import Sequence

from adapters.inbound.cli.tables import console, table
from adapters.inbound.cli.views import AccountView, KeyView
from domain.money import format_usd

COLUMNS = ("key", "label", "kind", "env", "ends with", "limit", "spent", "requests", "expires", "disabled")


def show_account(view: AccountView) -> None:
    out = console()
    out.print(f"{view.username} <{view.email}>  {view.account_id}", style="bold")
    out.print(f"{view.state}, opened {view.opened_at:%Y-%m-%d %H:%M} UTC")
    out.print(
        f"available ${format_usd(view.available_nusd)}  held ${format_usd(view.credits.held_nusd)}"
        f"  settled ${format_usd(view.credits.settled_nusd)}"
    )
    show_keys(view.keys)


def show_keys(keys: Sequence[KeyView]) -> None:
    shown = table("Keys (USD)", *COLUMNS)
    for key in keys:
        shown.add_row(*_row(key))
    console().print(shown)


def _row(key: KeyView) -> tuple[str, ...]:
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
