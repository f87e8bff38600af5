"""A process that `serve` runs: `python -m adapters.wiring.supervised api <fd of the listening socket>`, or `projector`.

It loads its code, then waits for one line on stdin: the DSN of the database, which is up by then.
"""

import socket
import sys
import time
from collections.abc import Callable

from adapters.complaint import WRONG_INPUT, Complaint
from adapters.outbound.telemetry.logs import configure_logs
from adapters.settings import Settings, read_settings
from adapters.wiring.database import Database, DatabaseAway, open_database
from adapters.wiring.give_up import giving_up_in_one_line

BACK_WITHIN_S = 30.0
"""The supervisor restarts a dead server at once; then it replays its log."""


def main(program: str, *arguments: str) -> int:
    settings = read_settings()
    configure_logs(program, settings.log_format, settings.log_level)
    run = _loaded(program, arguments, settings)
    dsn = sys.stdin.readline().strip()
    if not dsn:  # the supervisor is gone
        return 1
    return run(_reached(dsn, settings))


def _reached(dsn: str, settings: Settings) -> Database:
    """The database, also if it is being brought back just now: ending would cost the loading of all code again."""
    deadline_s = time.monotonic() + BACK_WITHIN_S
    while True:
        try:
            return open_database(dsn, settings)
        except DatabaseAway:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


def _loaded(program: str, arguments: tuple[str, ...], settings: Settings) -> Callable[[Database], int]:
    """The program with all its code; each process loads only its own."""
    match program:
        case "api":
            from adapters.wiring.run_api import run_api

            sock = socket.socket(fileno=int(arguments[0]))
            return lambda database: run_api(database, settings, sock)
        case "projector":
            from adapters.wiring.run_projector import run_projector

            return lambda database: run_projector(database, settings)
    raise Complaint(f"there is no program {program}", WRONG_INPUT)


if __name__ == "__main__":
    with giving_up_in_one_line():
        sys.exit(main(*sys.argv[1:]))
