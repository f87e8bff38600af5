"""What stops a process for a known reason is told in one line, without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.embedded.errors import EmbeddedPostgresError
from adapters.inbound.cli.render.safe import safe
from adapters.operator_error import CANNOT, OperatorError
from domain.errors import DomainError

NAMED_BY_THE_OPERATOR = ("account", "key", "param")
"""Facts that tell which argument is meant."""


@contextmanager
def exiting_on_error() -> Iterator[None]:
    """Exit codes: 1 could not be done; 2 asked for wrongly, as for unknown verbs and flags."""
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
    """As the error table has it, and what it is about if that does not say: "There is no such account (alice)."."""
    from adapters.inbound.http.errors.table import answer_to  # here, because a verb that succeeds needs no table

    message = answer_to(refusal).detail.message
    named = (str(refusal.facts[fact]) for fact in NAMED_BY_THE_OPERATOR if refusal.facts.get(fact))
    told = ", ".join(value for value in named if value not in message)
    return f"{message.rstrip('.')} ({told})." if told else message
