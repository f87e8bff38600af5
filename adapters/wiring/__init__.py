"""The composition root: the only place that knows every adapter."""


def main() -> None:
    """The command `gatewayz`."""
    # Imported here because the processes that `serve` runs are modules of this package and need no command line:
    # it takes 0.3 s to load, in each of them.
    from adapters.wiring.commands.command import run_command

    run_command()
