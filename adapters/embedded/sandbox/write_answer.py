"""Write the answer in OpenAI's shapes: whole, or as the events of a stream."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw

from adapters.embedded.sandbox.produce import Produced

DONE = b"data: [DONE]\n\n"
ERROR = {"error": {"message": "The upstream model failed.", "type": "server_error", "param": None, "code": 502}}


class AnswerHead(NamedTuple):
    """Members that all parts of one answer share."""

    id: str
    created: int
    model: str


class StreamEvent(NamedTuple):
    """One event, and how many tokens it carries."""

    text: bytes
    tokens: int = 0


def whole(head: AnswerHead, produced: Produced, usage: bytes | None) -> bytes:
    message: dict[str, object] = {"role": "assistant", "content": produced.text, "refusal": None}
    if produced.function is not None:
        called = {"name": produced.function, "arguments": produced.text}
        message.update(content=None, tool_calls=[_call(head, 0, called)])
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": produced.finish_reason}
        for index in range(produced.choices)
    ]
    claimed = {} if usage is None else {"usage": Raw(usage)}
    return msgspec.json.encode(_members(head, "chat.completion", choices) | claimed)


def events(head: AnswerHead, produced: Produced) -> Iterator[StreamEvent]:
    """The role, then each token, then the finish_reason, each for every choice."""
    everyone = range(produced.choices)
    for index in everyone:
        yield StreamEvent(_chunk(head, index, _opening(head, produced)))
    for token in produced.tokens:
        for index in everyone:
            yield StreamEvent(_chunk(head, index, _continued(produced, token)), tokens=1)
    for index in everyone:
        yield StreamEvent(_chunk(head, index, {}, produced.finish_reason))


def usage_event(head: AnswerHead, usage: bytes) -> bytes:
    return event(_members(head, "chat.completion.chunk", []) | {"usage": Raw(usage)})


def event(members: Mapping[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(members) + b"\n\n"


def _opening(head: AnswerHead, produced: Produced) -> dict[str, object]:
    if produced.function is None:
        return {"role": "assistant", "content": "", "refusal": None}
    called = {"name": produced.function, "arguments": ""}
    return {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **_call(head, 0, called)}]}


def _continued(produced: Produced, token: str) -> dict[str, object]:
    if produced.function is None:
        return {"content": token}
    return {"tool_calls": [{"index": 0, "function": {"arguments": token}}]}


def _call(head: AnswerHead, number: int, function: dict[str, str]) -> dict[str, object]:
    return {"id": f"call_{head.id[-8:]}{number}", "type": "function", "function": function}


def _chunk(head: AnswerHead, index: int, delta: dict[str, object], finish_reason: str | None = None) -> bytes:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return event(_members(head, "chat.completion.chunk", [choice]))


def _members(head: AnswerHead, kind: str, choices: Sequence[Mapping[str, object]]) -> dict[str, object]:
    return {
        "id": head.id,
        "object": kind,
        "created": head.created,
        "model": f"sandbox-{head.model}",
        "system_fingerprint": "fp_sandbox",
        "choices": choices,
    }
