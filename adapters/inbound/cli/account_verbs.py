"""Verbs about accounts and their credit."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.inbound.cli.actions import Actions, on_account
from adapters.inbound.cli.render.print_json import Json, print_json
from application.accounts.change_account_state import ChangeAccountState
from application.accounts.list_accounts import AccountLine
from application.accounts.open_account import OpenAccount
from application.accounts.show_account import ShowAccount
from application.credit.grant_credit import GrantCredit, GrantedLot
from application.credit.show_statement import ShowStatement
from application.sealed import Sealed
from application.write import Asked
from domain.account.events import AccountState
from domain.lot_kind import LotKind
from domain.money import format_usd, parse_usd

Account = Annotated[str, typer.Argument(help="Id or username of the account.")]
Expiry = Annotated[datetime | None, typer.Option("--expires", help="UTC, such as 2027-01-31T00:00:00.")]


if TYPE_CHECKING:  # `operate` loads the use cases, so that `--help` need not wait for them
    from application.use_cases import UseCases

OPERATOR = Asked("operator")

PAGE = 500
"""Accounts read at a time."""


def in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def account_verbs(actions: Actions) -> typer.Typer:
    verbs = typer.Typer(
        help="Open, list, show, suspend and reinstate accounts.", no_args_is_help=True, rich_markup_mode=None
    )

    @verbs.command()
    def create(username: str, email: str) -> None:
        """Open an account and print its id."""
        wanted = OpenAccount(username=Sealed(username), email=Sealed(email))
        print(actions.operate(lambda use_cases: use_cases.open_account(wanted, OPERATOR)).account_id)

    @verbs.command("list")
    def list_accounts(as_json: Json = False) -> None:
        """List all accounts, oldest first."""
        from adapters.inbound.cli.render.show_account import show_accounts

        accounts = actions.operate(_all_accounts)
        print_json(accounts) if as_json else show_accounts(accounts)

    @verbs.command()
    def show(account: Account, as_json: Json = False) -> None:
        """Show an account: state, credit, keys."""
        from adapters.inbound.cli.render.show_account import show_account

        view = on_account(actions, account, lambda use_cases, id: use_cases.show_account(id, ShowAccount()))
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
        wanted = ChangeAccountState(state=state, reason=Sealed(reason))
        changed = on_account(
            actions, account, lambda use_cases, id: use_cases.change_account_state(id, wanted, OPERATOR)
        )
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

        wanted = ShowStatement(limit)
        view = on_account(actions, account, lambda use_cases, id: use_cases.show_statement(id, wanted))
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
        parse_usd(amount_usd)  # refused here, before a database is looked for
        wanted = GrantCredit(
            amount_usd=amount_usd, kind=kind, reason=Sealed(reason), expires_at=in_utc(expires), priority=priority
        )
        granted = on_account(actions, account, lambda use_cases, id: use_cases.grant_credit(id, wanted, OPERATOR))
        _note_grant(wanted, granted)
        print(f"granted ${amount_usd} as lot {granted.lot_id}; available ${format_usd(granted.available_nusd)}")


async def _all_accounts(use_cases: "UseCases") -> Sequence[AccountLine]:
    lines: list[AccountLine] = []
    while page := await use_cases.list_accounts(lines[-1].account_id if lines else "", PAGE):
        lines += page
    return lines


def _note_grant(wanted: GrantCredit, granted: GrantedLot) -> None:
    """Log the grant too: break-glass is exempt from limits and approval (docs/reference/rules.md#roles)."""
    import structlog

    structlog.get_logger().warning(
        "break-glass grant", lot_id=granted.lot_id, amount_usd=wanted.amount_usd, position=granted.position
    )
