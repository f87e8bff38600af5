"""Verbs that replace a secret of the installation."""

import typer

from adapters.inbound.cli.actions import Actions


def rotate_verbs(actions: Actions) -> typer.Typer:
    verbs = typer.Typer(help="Replace secrets.", no_args_is_help=True, rich_markup_mode=None)

    @verbs.command()
    def keyring() -> None:
        """Wrap every data key with the first key of the ring.

        The others can go then. Harmless to repeat.
        """
        accounts, changed = actions.rotate_keyring()
        print(f"{changed} of {accounts} data keys were wrapped anew: all are wrapped by the first key of the ring")

    @verbs.command("derivation-secret")
    def derivation_secret() -> None:
        """Make a new one in secrets.json; stop `serve` first.

        Admin key and passwords of the database roles follow from it.
        """
        actions.rotate_derivation_secret()
        print("rotated: the next `gatewayz serve` uses another admin key and other passwords of the database roles")

    return verbs
