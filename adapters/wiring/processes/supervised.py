"""A child process of `serve`: `python -m adapters.wiring.processes.supervised api <fd of the listening socket>`.

Or `projector`, without an fd.

The process loads its code, then waits for one line on stdin (hand_over.py): its logins to the database, which is up by
then, and the secrets that it needs.
"""

import socket
import sys
import time
from collections.abc import Callable

from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.outbound.postgres.setup.mark_instance import read_instance
from adapters.outbound.telemetry.logs import configure_logs
from adapters.settings import Settings, read_settings
from adapters.wiring.database.database import Database, DatabaseAway, as_operator_errors
from adapters.wiring.processes.exit_on_error import exiting_on_error
from adapters.wiring.processes.hand_over import taken_from
from adapters.wiring.processes.leave_root import leave_root

BACK_WITHIN_S = 30.0
"""The supervisor restarts a dead database server at once; the server then replays its log."""


def main(program: str, *arguments: str) -> int:
    settings = read_settings()
    configure_logs(program, settings.log_format, settings.log_level)
    run = _loaded(program, arguments, settings)
    leave_root(settings, dies_with_parent=True)
    line = sys.stdin.readline().strip()
    if not line:  # the supervisor is gone
        return 1
    return run(_reached(taken_from(line), settings))


def _reached(database: Database, settings: Settings) -> Database:
    """Wait for the database, which may be restarting: exiting would mean loading all code again."""
    deadline_s = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            with as_operator_errors(database.dsn, settings):
                read_instance(database.writer("gatewayz"))
            return database
        except DatabaseAway:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


def _loaded(program: str, arguments: tuple[str, ...], settings: Settings) -> Callable[[Database], int]:
    """Load the program with all its code; each process loads only its own."""
    match program:
        case "api":
            from adapters.wiring.compose.gateway import catalog_of
            from adapters.wiring.processes.run_api import run_api

            sock, catalog = socket.socket(fileno=int(arguments[0])), catalog_of(settings)
            return lambda database: run_api(database, settings, sock, catalog)
        case "projector":
            from adapters.wiring.processes.run_projector import run_projector

            return lambda database: run_projector(database, settings)
    raise OperatorError(f"there is no program {program}", WRONG_INPUT)


if __name__ == "__main__":
    with exiting_on_error():
        sys.exit(main(*sys.argv[1:]))
