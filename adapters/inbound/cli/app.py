"""`gatewayz` and its verbs."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters.inbound.cli.account_verbs import account_verbs, add_grant, add_statement
from adapters.inbound.cli.actions import Actions, Process
from adapters.inbound.cli.key_verbs import key_verbs
from adapters.inbound.cli.render.banner import Started, banner
from adapters.inbound.cli.render.give_secret import give_secret, is_terminal
from adapters.inbound.cli.render.print_json import Json, print_json
from adapters.inbound.cli.rotate_verbs import rotate_verbs
from adapters.version import VERSION
from application.credit.show_statement import ShowStatement

Field = Literal["base_url", "admin_key", "demo_key"]

HELP = "An inference gateway whose every cent can be proven. Settings: docs/reference/settings.md."


def build_cli(actions: Actions) -> typer.Typer:
    """One Typer application, with plain help and plain tracebacks: our own faults are for the log."""
    cli = typer.Typer(
        help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    _add_processes(cli, actions)
    _add_checks(cli, actions)
    add_statement(cli, actions)
    cli.add_typer(account_verbs(actions), name="account")
    cli.add_typer(key_verbs(actions), name="key")
    cli.add_typer(rotate_verbs(actions), name="rotate")
    add_grant(cli, actions)

    @cli.command()
    def version() -> None:
        """Print the version."""
        print(VERSION)

    @cli.callback()
    def gatewayz(
        _: Annotated[
            bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
        ] = False,
    ) -> None:
        pass

    return cli


def _add_processes(cli: typer.Typer, actions: Actions) -> None:
    @cli.command()
    def serve() -> None:
        """Run everything on this machine.

        PostgreSQL (unless DATABASE_URL is set), API, projector, and the sandbox if no provider is configured. Settings
        are environment variables: GATEWAYZ_PORT (8000), GATEWAYZ_HOST (127.0.0.1), GATEWAYZ_HOME (./.gatewayz), keys
        of providers such as OPENAI_API_KEY; docs/reference/settings.md has them all.
        """
        started: list[Started] = []

        def on_start(one: Started) -> None:
            started.append(one)
            _tell(one)

        exit_code = actions.serve(on_start)
        for one in started:
            elsewhere = f"; the data in {one.data}" if str(one.data) != str(one.home) else ""
            print(f"Stopped. Everything stays in {one.home}{elsewhere}.", flush=True)
        sys.exit(exit_code)

    @cli.command()
    def api() -> None:
        """Run one API process, for containers.

        Any number may run. Needs `migrate` before it and a projector beside it.
        """
        sys.exit(actions.api())

    @cli.command()
    def projector() -> None:
        """Run one projector, for containers; of several, one leads."""
        sys.exit(actions.projector())

    @cli.command()
    def migrate() -> None:
        """Bring the database up to date; harmless to repeat.

        Schema, roles, secrets.
        """
        applied = actions.migrate()
        print("\n".join(f"applied {name}" for name in applied) or "nothing to apply")

    @cli.command("database-url")
    def database_url(
        process: Annotated[Process, typer.Argument(help="Whose: each logs in as a role of its own.")],
        to: Annotated[Path | None, typer.Option(help="A new file, readable by its owner only.")] = None,
    ) -> None:
        """Print what a process that runs alone logs in with.

        Into a terminal or a file. Asks as the owner.
        """
        give_secret(actions.database_url(process), to)


def _add_checks(cli: typer.Typer, actions: Actions) -> None:
    @cli.command()
    def verify(as_json: Json = False) -> None:
        """Prove the ledger; exit code 0 only if it is clean.

        The log is whole and chained, and every read model equals a fresh replay.
        """
        from adapters.inbound.cli.render.show_report import show_report

        report = actions.verify()
        if as_json:
            print_json(report)
        else:
            show_report(report)
        sys.exit(0 if report.is_clean else 1)

    @cli.command()
    def credentials(
        field: Annotated[Field | None, typer.Argument(help="Only this one, bare, for scripts.")] = None,
    ) -> None:
        """Print how to reach the instance started last.

        Base URL, admin key, demo key.
        """
        known = actions.credentials()
        print(known[field]) if field else print_json(known)

    @cli.command()
    def demo() -> None:
        """Make 20 chat requests and print their statement."""
        from adapters.inbound.cli.make_requests import REQUESTS, make_requests
        from adapters.inbound.cli.render.show_statement import show_statement

        access = actions.demo_access()
        make_requests(access)
        wanted = ShowStatement(REQUESTS)
        show_statement(actions.operate(lambda use_cases: use_cases.show_statement(access.account_id, wanted)))


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(VERSION)
        raise typer.Exit


def _tell(started: Started) -> None:
    print(banner(started, to_person=is_terminal()), flush=True)
