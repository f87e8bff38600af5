"""OpenAI's chat completions, the dialect of most providers.

Source: platform.openai.com/docs/api-reference/chat. Differences between providers are data in their rows (`drops`,
`extras`) or quirks that the rows name.
"""

from collections.abc import Mapping

from msgspec import Raw

from adapters.outbound.providers.dialects import openai_errors, openai_request
from adapters.outbound.providers.dialects.members import NULL, joined, members_of, written
from adapters.outbound.providers.dialects.openai_errors import BYTE_ORDER_MARK
from adapters.outbound.providers.dialects.openai_members import (
    choices_of,
    exchange_names,
    finish_reason_of,
    our_names,
    refuse_error,
    refuse_failed_choices,
    take_usage,
    with_null_reasons,
)
from adapters.outbound.providers.dialects.openai_output import output_bytes_of
from adapters.outbound.providers.dialects.openai_stream import StreamReader
from adapters.outbound.providers.dialects.openai_unasked import chunks_of_answer
from adapters.outbound.providers.dialects.openai_usage import UsageReader
from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Answer, Chunk
from domain.pricing.usage import output_tokens

CHAT_PATH = "/chat/completions"

WHOLE = {"object": written("chat.completion"), "system_fingerprint": Raw(NULL)}
"""Members that OpenRouter's SDKs require of a whole answer, for providers that leave them out."""


def headers(api_key: str) -> Mapping[str, str]:
    return {"authorization": f"Bearer {api_key}", "content-type": "application/json"}


write_request = openai_request.write_request
dropped = openai_request.dropped


def read_answer(body: bytes, call: ChatCall, endpoint: Endpoint) -> Answer:
    """Read a whole answer.

    Returns: Answer. Its `body` is a JSON object without `usage`, never empty, and ends in `}`: the gateway puts
             `,"usage":{...}` before that brace.
    Raises:  BrokenAnswer malformed_answer; empty_answer if it has neither output nor a finish_reason; error_in_answer.
    """
    members = members_of(body.removeprefix(BYTE_ORDER_MARK))
    refuse_error(members)
    raw_usage = take_usage(members, endpoint)
    reading = None if raw_usage is None else UsageReader(endpoint.usage).read(raw_usage)
    choices = choices_of(members)
    if not choices:
        raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER)
    refuse_failed_choices(choices)
    finish_reason, output_bytes = finish_reason_of(choices), output_bytes_of(choices, "message")
    if not (finish_reason or output_bytes or (reading and reading.usage and output_tokens(reading.usage) > 0)):
        raise BrokenAnswer(ErrorClass.EMPTY_ANSWER)
    with_null_reasons(members, choices)
    provider_id = exchange_names(members, our_names(call))
    for name, value in WHOLE.items():
        members.setdefault(name, value)
    return Answer(
        body=joined(members),
        usage=reading.usage if reading else None,
        raw_usage=reading.raw if reading else None,
        is_doubtful=reading is not None and reading.is_doubtful,
        finish_reason=finish_reason,
        provider_generation_id=provider_id,
        output_bytes=output_bytes,
    )


read_error = openai_errors.read_error


def read_stream(call: ChatCall, endpoint: Endpoint) -> StreamReader:
    return StreamReader(call, endpoint)


def stream_of_answer(body: bytes, call: ChatCall, endpoint: Endpoint) -> list[Chunk]:
    """The chunks of a whole answer to a request for a stream. Raises BrokenAnswer as read_answer does."""
    return chunks_of_answer(read_answer(body, call, endpoint))
