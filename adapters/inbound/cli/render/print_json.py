"""`--json`: prints a view unchanged, for programs. Amounts are integers in nUSD."""

from typing import Annotated

import msgspec
import typer

from adapters.inbound.cli.render.safe import safe_json

Json = Annotated[bool, typer.Option("--json", help="Print JSON; amounts are integers in nUSD (10^-9 USD).")]


def print_json(view: object) -> None:
    print(safe_json(msgspec.json.format(msgspec.json.encode(view)).decode()))
