"""An error with a known reason is printed as one line, without a traceback, before the process exits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.embedded.errors import EmbeddedPostgresError
from adapters.inbound.cli.render.safe import safe
from adapters.operator_error import CANNOT, OperatorError
from domain.errors import DomainError

NAMED_BY_THE_OPERATOR = ("account", "key", "param")
"""Facts that identify the argument in question."""


@contextmanager
def exiting_on_error() -> Iterator[None]:
    """Exit codes: 1, it could not be done; 2, the input was wrong, as for unknown verbs and flags."""
    try:
        yield
    except OperatorError as error:
        _exit(str(error), error.exit_code)
    except EmbeddedPostgresError as fault:
        _exit(str(fault), CANNOT)
    except DomainError as refusal:
        _exit(_sentence(refusal), CANNOT)


def _exit(line: str, exit_code: int) -> None:
    if line:
        print(f"gatewayz: {safe(line)}", file=sys.stderr)
    sys.exit(exit_code)


def _sentence(refusal: DomainError) -> str:
    """The message of the error table, plus the values that it does not name: "There is no such account (alice)."."""
    from adapters.inbound.http.errors.table import answer_to  # here: only a failing verb needs the table

    message = answer_to(refusal).detail.message
    named = (str(refusal.facts[fact]) for fact in NAMED_BY_THE_OPERATOR if refusal.facts.get(fact))
    missing = ", ".join(value for value in named if value not in message)
    return f"{message.rstrip('.')} ({missing})." if missing else message
