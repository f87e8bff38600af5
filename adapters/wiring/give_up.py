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
    except EmbeddedPostgresError as fault:
        _give_up(str(fault), CANNOT)
    except DomainError as refusal:
        _give_up(_sentence(refusal), CANNOT)


def _give_up(line: str, exit_code: int) -> None:
    if line:
        print(f"gatewayz: {line}", file=sys.stderr)
    sys.exit(exit_code)


def _sentence(refusal: DomainError) -> str:
    """Its own message, else its code and facts as words: "account not found (account alice)"."""
    if message := refusal.facts.get("message"):
        return str(message)
    facts = ", ".join(f"{name} {value}" for name, value in refusal.facts.items() if value is not None)
    return refusal.code.replace("_", " ") + (f" ({facts})" if facts else "")
