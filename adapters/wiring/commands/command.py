"""The command `gatewayz`: its verbs, with the wired actions."""

from adapters.inbound.cli.app import build_cli
from adapters.wiring.commands.actions import WiredActions
from adapters.wiring.processes.exit_on_error import exiting_on_error


def run_command() -> None:
    with exiting_on_error():
        build_cli(WiredActions())()
