"""What stops a process for a known reason is told in one line, without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.complaint import CANNOT, Complaint
from adapters.embedded.errors import EmbeddedPostgresError
from domain.errors import DomainError


@contextmanager
def giving_up_in_one_line() -> Iterator[None]:
    """Exit codes: 1 could not be done; 2 asked for wrongly, as for unknown verbs and flags."""
    try:
        yield
    except Complaint as complaint:
        _give_up(str(complaint), complaint.exit_code)
    except (EmbeddedPostgresError, DomainError) as refusal:
        _give_up(str(refusal), CANNOT)


def _give_up(line: str, exit_code: int) -> None:
    if line:
        print(f"gatewayz: {line}", file=sys.stderr)
    sys.exit(exit_code)
