"""How a stream ends: whole with its charge, or broken off. The surface writes either in its own format."""

from collections.abc import Mapping, Sequence

import msgspec

from application.generate.call_providers import refusal_of
from application.generate.held import Held
from application.generate.settle_charge import Receipt
from application.ports.provider_failure import ProviderFailure
from domain.errors import DomainError

CUT_OFF = "shutting_down"
"""Error class of a stream that outlasted the drain of its process; not the provider's fault."""


class Ended(msgspec.Struct, frozen=True):
    """A whole stream's end.

    chunks:     the data of those that waited for the settle, in their order.
    raw_usage:  the provider's own JSON of its counts; None if it sent none.
    """

    chunks: Sequence[bytes]
    receipt: Receipt
    raw_usage: bytes | None


class BrokenOff(msgspec.Struct, frozen=True):
    """The failure of a stream, in place of its last chunks.

    code:       of the error table, or the class of a provider's failure.
    facts:      JSON-ready values beside the message, as a refusal has them.
    receipt:    None if nothing is known to be charged.
    raw_usage:  as in Ended.
    """

    code: str
    message: str
    facts: Mapping[str, object]
    receipt: Receipt | None = None
    raw_usage: bytes | None = None


def withheld(held: Held, refusal: DomainError) -> BrokenOff:
    """The settle was refused: the end of the answer may not leave."""
    message = "the answer was withheld: its charge could not be recorded"
    return BrokenOff(refusal.code, message, {**refusal.facts, **_facts(held)})


def broken_off(held: Held, failure: ProviderFailure, receipt: Receipt | None, raw_usage: bytes | None) -> BrokenOff:
    """The provider failed, or our drain is over. The message quotes the provider's, if there is one."""
    if failure.attempt.error_class == CUT_OFF:
        return BrokenOff(CUT_OFF, "this server is shutting down", _facts(held), receipt, raw_usage)
    message = f"the provider broke off: {failure.words}" if failure.words else "the provider broke off"
    code = failure.attempt.error_class
    refusal = refusal_of(failure, held.generation_id)
    if failure.explanation is not None:
        code, message = refusal.code, failure.explanation.message or message
    return BrokenOff(code, message, {**refusal.facts, **_facts(held)}, receipt, raw_usage)


def _facts(held: Held) -> dict[str, str]:
    return {"generation_id": held.generation_id, "model": held.offer.model, "provider": held.offer.provider}
