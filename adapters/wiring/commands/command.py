"""The command `gatewayz`: its verbs, handed their actions."""

from adapters.inbound.cli.app import build_cli
from adapters.wiring.commands.actions import WiredActions
from adapters.wiring.processes.give_up import giving_up_in_one_line


def run_command() -> None:
    with giving_up_in_one_line():
        build_cli(WiredActions())()
