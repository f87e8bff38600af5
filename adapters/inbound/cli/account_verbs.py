"""Verbs about accounts and their credit."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from adapters.inbound.cli.actions import Actions
from adapters.inbound.cli.render.print_json import Json, print_json
from domain.account.events import AccountState
from domain.lot_kind import LotKind
from domain.money import format_usd, parse_usd

Account = Annotated[str, typer.Argument(help="Id or username of the account.")]
Expiry = Annotated[datetime | None, typer.Option("--expires", help="UTC, such as 2027-01-31T00:00:00.")]


def in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def account_verbs(actions: Actions) -> typer.Typer:
    verbs = typer.Typer(
        help="Open, list, show, suspend and reinstate accounts.", no_args_is_help=True, rich_markup_mode=None
    )

    @verbs.command()
    def create(username: str, email: str) -> None:
        """Open an account and print its id."""
        print(actions.open_account(username, email))

    @verbs.command("list")
    def list_accounts(as_json: Json = False) -> None:
        """List all accounts, oldest first."""
        from adapters.inbound.cli.render.show_account import show_accounts

        accounts = actions.accounts()
        print_json(accounts) if as_json else show_accounts(accounts)

    @verbs.command()
    def show(account: Account, as_json: Json = False) -> None:
        """Show an account: state, credit, keys."""
        from adapters.inbound.cli.render.show_account import show_account

        view = actions.account(account)
        print_json(view) if as_json else show_account(view)

    @verbs.command()
    def state(
        account: Account,
        state: Annotated[AccountState, typer.Argument(help="bot, suspended and closed are not served.")],
        reason: Annotated[str, typer.Option(help="For auditors; at least 10 characters.")],
    ) -> None:
        """Suspend, reinstate or close an account.

        Effective on every process within a second.
        """
        changed = actions.change_account_state(account, state, reason)
        print(f"{changed.account_id} is {'now' if changed.position else 'already'} {changed.state}")

    return verbs


def add_statement(cli: typer.Typer, actions: Actions) -> None:
    @cli.command()
    def statement(
        account: Account,
        limit: Annotated[int, typer.Option(help="The last so many requests.")] = 100,
        as_json: Json = False,
    ) -> None:
        """Print an account's lots, requests and available credit.

        Of each request its reserve and settle, tokens and cost.
        """
        from adapters.inbound.cli.render.show_statement import show_statement

        view = actions.statement(account, limit)
        print_json(view) if as_json else show_statement(view)


def add_grant(cli: typer.Typer, actions: Actions) -> None:
    @cli.command()
    def grant(
        account: Account,
        amount_usd: Annotated[str, typer.Argument(help='A decimal number of USD, such as "12.5".')],
        reason: Annotated[str, typer.Option(help="For auditors; at least 10 characters.")],
        kind: LotKind = "promo",
        expires: Expiry = None,
        priority: Annotated[int | None, typer.Option(help="Lower burns first; by default that of its kind.")] = None,
    ) -> None:
        """Break-glass: grant credit without approval.

        Recorded with actor `operator`.
        """
        granted = actions.grant(account, parse_usd(amount_usd), kind, reason, in_utc(expires), priority)
        print(f"granted ${amount_usd} as lot {granted.lot_id}; available ${format_usd(granted.available_nusd)}")
