"""A whole answer to a request for a stream, passed on as a stream of few chunks.

Some servers ignore `stream`. If we refused their answer we would pay for it, and again for each retry of the client.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from adapters.outbound.providers.dialects.members import Members, joined, members_of, value_of, written
from application.ports.provider_answer import Answer, Chunk

_CHOICES = msgspec.json.Decoder(list[dict[str, Raw]])
_CALLS = msgspec.json.Decoder(list[dict[str, Raw]])
_ENCODER = msgspec.json.Encoder()
_CHUNK = written("chat.completion.chunk")

NOTHING = Raw(b"{}")
NULL = Raw(b"null")


def chunks_of_answer(answer: Answer) -> list[Chunk]:
    """The chunks of `read_answer`'s answer: per choice its message as one delta, then its end; usage comes last."""
    members = members_of(answer.body)
    choices = [_members_of_choice(choice, n) for n, choice in enumerate(_CHOICES.decode(members["choices"]))]
    head = {name: value for name, value in members.items() if name != "choices"} | {"object": _CHUNK}
    chunks = [chunk for choice in choices for chunk in _of_choice(head, choice, answer)]
    usage = Chunk(data=b"", usage=answer.usage, raw_usage=answer.raw_usage, is_doubtful=answer.is_doubtful)
    if chunks:  # the first chunk carries the counts of the whole answer
        chunks[0] = msgspec.structs.replace(
            chunks[0], output_bytes=answer.output_bytes, provider_generation_id=answer.provider_generation_id
        )
    return [*chunks, usage]


def _members_of_choice(choice: Members, number: int) -> Members:
    return {"index": Raw(b"%d" % number), **choice}


def _of_choice(head: Members, choice: Members, answer: Answer) -> Iterator[Chunk]:
    index = _index_of(choice)
    message = choice.pop("message", NOTHING)
    reason = choice.pop("finish_reason", NULL)
    going_on = choice | {"delta": _delta(message), "finish_reason": NULL}
    yield Chunk(data=_written(head, going_on), choices=(index,))
    ended = {"index": choice["index"], "delta": NOTHING, "finish_reason": reason}
    if bytes(reason) == NULL_TEXT:
        ended["finish_reason"] = written("stop")
    yield Chunk(
        data=_written(head, ended), choices=(index,), is_last=True, finish_reason=answer.finish_reason or "stop"
    )


NULL_TEXT = b"null"


def _index_of(choice: Members) -> int:
    index = value_of(choice["index"])
    return index if type(index) is int else 0


def _delta(message: Raw) -> Raw:
    """A message as a delta: in a stream each tool call has its `index`."""
    if not bytes(message).startswith(b"{"):
        return NOTHING
    try:
        members = members_of(bytes(message))
        if "tool_calls" in members and bytes(members["tool_calls"]) != NULL_TEXT:
            calls = [{"index": Raw(b"%d" % n), **call} for n, call in enumerate(_CALLS.decode(members["tool_calls"]))]
            members["tool_calls"] = Raw(_ENCODER.encode(calls))
    except msgspec.DecodeError:
        return message
    return Raw(_ENCODER.encode(members))


def _written(head: Members, choice: Members) -> bytes:
    return joined(head | {"choices": Raw(_ENCODER.encode([choice]))})
