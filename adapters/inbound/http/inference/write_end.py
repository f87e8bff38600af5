"""The ends of answers as OpenAI's clients read them: `usage` in a body, the usage chunk and [DONE] of a stream."""

import msgspec

from adapters.inbound.http.inference.write_usage import write_usage
from application.generate.complete_chat import Completed
from application.generate.settle_charge import Receipt
from application.generate.stream_end import BrokenOff, Ended

DONE = b"[DONE]"
"""The last event of every stream that was not broken off."""


def write_whole(completed: Completed) -> bytes:
    """The answer's body: `usage` is spliced in as its last member."""
    return completed.body[:-1] + b',"usage":' + write_usage(completed.receipt, completed.raw_usage) + b"}"


def write_end(generation_id: str, end: Ended) -> list[bytes]:
    """The data of a stream's last events: the chunks that waited for the settle, the usage, [DONE]."""
    usage = write_usage(end.receipt, end.raw_usage)
    return [*end.chunks, _usage_chunk(generation_id, end.receipt, usage), DONE]


def usage_of(end: BrokenOff) -> bytes | None:
    """JSON of `usage` beside the error; None if nothing is known to be charged."""
    return None if end.receipt is None else write_usage(end.receipt, end.raw_usage)


def _usage_chunk(generation_id: str, receipt: Receipt, usage: bytes) -> bytes:
    """Sent with or without `include_usage`: no choices, the usage with its cost."""
    generation = receipt.settled.generation
    head = {
        "id": generation_id,
        "object": "chat.completion.chunk",
        "created": int(receipt.settled.at.timestamp()),
        "model": generation.model,
        "provider": generation.provider,
        "choices": [],
    }
    return msgspec.json.encode(head)[:-1] + b',"usage":' + usage + b"}"
