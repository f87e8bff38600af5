"""A process that `serve` runs: `python -m adapters.wiring.supervised api <fd of the listening socket>`, or `projector`.

It loads its code, then waits for one line on stdin: the DSN of the database, which is up by then.
"""

import socket
import sys
from collections.abc import Callable

from adapters.complaint import WRONG_INPUT, Complaint
from adapters.outbound.telemetry.logs import configure_logs
from adapters.settings import Settings, read_settings
from adapters.wiring.database import Database, open_database
from adapters.wiring.give_up import giving_up_in_one_line


def main(program: str, *arguments: str) -> int:
    settings = read_settings()
    configure_logs(program, settings.log_format, settings.log_level)
    run = _loaded(program, arguments, settings)
    dsn = sys.stdin.readline().strip()
    if not dsn:  # the supervisor is gone
        return 1
    return run(open_database(dsn, settings))


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
