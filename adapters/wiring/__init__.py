"""The composition root: the only place that knows every adapter."""


def main() -> None:
    """The command `gatewayz`."""
    # Imported here because the processes of `serve` are modules of this package too. They need no command line, which
    # takes 0.3 s to load.
    from adapters.wiring.commands.command import run_command

    run_command()
