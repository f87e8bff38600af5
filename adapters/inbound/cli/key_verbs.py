"""Verbs about API keys. A secret is printed once, when it is made."""

from typing import Annotated

import typer

from adapters.inbound.cli.account_verbs import OPERATOR, Account, Expiry, in_utc
from adapters.inbound.cli.actions import Actions, on_account, on_key
from adapters.inbound.cli.render.print_json import Json, print_json
from application.keys.issue_key import IssueKey
from application.keys.list_keys import ListKeys
from application.keys.rotate_key import RotateKey
from application.sealed import Sealed
from domain.api_key.events import Environment, KeyKind
from domain.api_key.ranges import DEFAULT_GRACE_S
from domain.money import parse_usd
from domain.window import KeyLimit, Window

Key = Annotated[str, typer.Argument(help="Id or label of the key.")]


def key_verbs(actions: Actions) -> typer.Typer:
    verbs = typer.Typer(help="Issue, list, rotate and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)

    @verbs.command()
    def issue(
        account: Account,
        label: Annotated[str, typer.Option(help="Unique in the account.")],
        environment: Environment = "live",
        kind: KeyKind = "inference",
        limit_usd: Annotated[str | None, typer.Option(help="Spending limit in USD.")] = None,
        window: Annotated[Window, typer.Option(help="What the limit is per.")] = "total",
        expires: Expiry = None,
    ) -> None:
        """Issue a key; its secret is printed this once."""
        limit = KeyLimit(parse_usd(limit_usd, "limit_usd"), window) if limit_usd else None
        wanted = IssueKey(
            label=Sealed(label), environment=environment, kind=kind, limit=limit, expires_at=in_utc(expires)
        )
        issued = on_account(actions, account, lambda use_cases, id: use_cases.issue_key(id, wanted, OPERATOR))
        print(f"{issued.key_id}\n{issued.secret}")

    @verbs.command("list")
    def list_keys(account: Account, as_json: Json = False) -> None:
        """List the account's keys that are not revoked."""
        from adapters.inbound.cli.render.show_account import show_keys

        keys = on_account(actions, account, lambda use_cases, id: use_cases.list_keys(id, ListKeys()))
        print_json(keys) if as_json else show_keys(keys)

    @verbs.command()
    def rotate(
        account: Account,
        key: Key,
        grace_s: Annotated[int, typer.Option(help="Seconds for which the old secret still works.")] = DEFAULT_GRACE_S,
    ) -> None:
        """Give a key a new secret, printed this once.

        Id, limits and spend stay.
        """
        wanted = RotateKey(grace_s=grace_s)
        rotated = on_key(actions, account, key, lambda uses, owner, id: uses.rotate_key(owner, id, wanted, OPERATOR))
        print(rotated.secret)

    @verbs.command()
    def revoke(account: Account, key: Key) -> None:
        """End a key; it is dead on every process within a second."""
        on_key(actions, account, key, lambda use_cases, owner, id: use_cases.revoke_key(owner, id))
        print(f"revoked {key}")

    return verbs
