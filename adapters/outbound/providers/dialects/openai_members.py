"""Members that whole answers and stream chunks share: names, usage, choices, errors."""

import re

import msgspec
from msgspec import Raw

from adapters.outbound.providers.dialects.members import NULL, Members, joined, members_of, value_of, written
from adapters.outbound.providers.dialects.openai_errors import provider_error
from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports.chat_providers import ChatCall

MAX_ID, MAX_REASON = 200, 64
"""Characters kept of a provider's id and finish_reason; the longest known have 60 and 14."""

FAILED = "error"
"""The finish_reason of a choice that failed."""

_CHOICES = msgspec.json.Decoder(list[dict[str, Raw]])
_ENCODER = msgspec.json.Encoder()

_UNPRINTABLE = re.compile(r"[^ -~]")


def refuse_error(members: Members) -> None:
    """Raise BrokenAnswer for an error object. OpenRouter sends it with status 200, others as a stream's last event."""
    if "error" not in members or bytes(members["error"]) == NULL:
        return
    raise BrokenAnswer(ErrorClass.ERROR_IN_ANSWER, provider_error(_value(members["error"])))


def refuse_failed_choices(choices: list[dict[str, object]]) -> None:
    """Raise BrokenAnswer if all choices failed."""
    failed = [choice for choice in choices if choice.get("error") or choice.get("finish_reason") == FAILED]
    if failed and len(failed) == len(choices):
        raise BrokenAnswer(ErrorClass.ERROR_IN_ANSWER, provider_error(failed[0].get("error")))


def with_null_reasons(members: Members, choices: list[dict[str, object]]) -> None:
    """Replace an empty finish_reason by null: strict clients would read it as a finish_reason."""
    if any(choice.get("finish_reason") == "" for choice in choices):
        raw: list[Members] = _CHOICES.decode(members["choices"])
        for choice in raw:
            if bytes(choice.get("finish_reason", b"")) == b'""':
                choice["finish_reason"] = Raw(NULL)
        members["choices"] = Raw(_ENCODER.encode(raw))


def take_usage(members: Members, endpoint: Endpoint) -> bytes | None:
    """Remove the provider's usage from `members`; returns its bytes, None if there is none."""
    raw = _taken(members, "usage")
    if "x_groq" in members and "x_groq_usage" in endpoint.quirks and bytes(members["x_groq"]) != NULL:
        inner = members_of(bytes(members["x_groq"]))
        raw = _taken(inner, "usage") or raw
        members["x_groq"] = Raw(joined(inner))
    return raw


def our_names(call: ChatCall) -> Members:
    """Our members of every answer and chunk: the generation's id, the canonical model, the provider."""
    offer = call.offer
    return {"id": written(call.generation_id), "model": written(offer.model), "provider": written(offer.provider)}


def exchange_names(members: Members, ours: Members) -> str:
    """Replace the provider's names by ours; returns the provider's id."""
    provider_id = _value(members["id"]) if "id" in members else ""
    members.update(ours)
    return _name(provider_id, MAX_ID) if isinstance(provider_id, str) else ""


def choices_of(members: Members) -> list[dict[str, object]]:
    """Empty if there are none. Raises BrokenAnswer malformed_answer if they are not a list of objects."""
    choices = _value(members["choices"]) if "choices" in members else None
    if choices is None:
        return []
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER)
    return choices


def finish_reason_of(choices: list[dict[str, object]]) -> str:
    """The first that is not empty; some providers send an empty one in every chunk. Empty if there is none."""
    for choice in choices:
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str):
            return _name(reason, MAX_REASON)
    return ""


def _taken(members: Members, name: str) -> bytes | None:
    """Remove the member and return its bytes; None if it is missing or null."""
    raw = members.pop(name, None)
    return None if raw is None or bytes(raw) == NULL else bytes(raw)


def _name(text: str, limit: int) -> str:
    """A provider's text as the ledger can keep it: short and printable."""
    return _UNPRINTABLE.sub("?", text[:limit])


def _value(raw: Raw) -> object:
    try:
        return value_of(raw)
    except (ValueError, RecursionError) as error:
        raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER) from error
