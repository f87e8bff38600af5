"""docs/reference/cli.md, from what each verb's `--help` says: `python -m tests.adapters.cli.cli_docs` writes it."""

from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from adapters.inbound.cli.app import build_cli
from adapters.wiring.commands.actions import WiredActions

DOCS = Path(__file__).parents[3] / "docs/reference/cli.md"

HEAD = """# Command line

Every verb of `gatewayz`, as `--help` prints it. `python -m tests.adapters.cli.cli_docs` writes this page, a test
compares it. Settings are environment variables: [settings](settings.md). How to use the verbs:
[run it](../how-to/run.md), [manage accounts](../how-to/manage-accounts.md).
"""


def cli_page() -> str:
    cli = build_cli(WiredActions())
    return HEAD + "".join(_section(cli, verb) for verb in verbs_of(typer.main.get_command(cli)))


def verbs_of(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of words, the command without any first; a group before its verbs."""
    yield path
    for name, verb in sorted(getattr(command, "commands", {}).items()):
        yield from verbs_of(verb, (*path, name))


def _section(cli: typer.Typer, verb: tuple[str, ...]) -> str:
    done = CliRunner().invoke(cli, [*verb, "--help"], prog_name="gatewayz", env={"COLUMNS": "100"})
    assert done.exit_code == 0, done.output
    return f"\n## {' '.join(('gatewayz', *verb))}\n\n```text\n{done.output.strip()}\n```\n"


if __name__ == "__main__":
    DOCS.write_text(cli_page())
