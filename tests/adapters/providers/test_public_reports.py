"""What public reports tell of providers, and was right when it was tried. Their numbers are docs/reliability.md's."""

from typing import Any

import msgspec
import pytest

from adapters.outbound.providers.dialects.openai import read_stream
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports.provider_answer import NEXT_EVENT, Chunk
from tests.adapters.providers.call_words import a_call, an_endpoint, last_usage

ZERO = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
REAL = {"prompt_tokens": 120, "completion_tokens": 33, "total_tokens": 153}
COUNTS = {"input": 120, "output": 33}
DETAILED = {
    "prompt_tokens": 2_600,
    "completion_tokens": 10,
    "total_tokens": 2_610,
    "prompt_tokens_details": {"cached_tokens": 2_000, "cache_write_tokens": 400},
}


def text(content: str = "hello", reason: str | None = None, **delta: Any) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": {"content": content, **delta}, "finish_reason": reason}]


def chunk(choices: list[dict[str, Any]], **members: Any) -> bytes:
    return msgspec.json.encode({"id": "up", "created": 1, "model": "native", "choices": choices, **members})


def read(stream: bytes) -> list[Chunk]:
    reader = read_stream(a_call(), an_endpoint())
    return [*reader.feed(stream), *reader.end()]


def sent(*documents: bytes) -> bytes:
    return b"".join(b"data: " + document + b"\n\n" for document in (*documents, b"[DONE]"))


TOLD = {
    "2: zeros first, the counts with the end": [
        chunk(text(), usage=ZERO),
        chunk(text(), usage=ZERO),
        chunk(text("", "stop"), usage=REAL),
    ],
    "6: behind the end, in a chunk with choices": [
        chunk(text()),
        chunk(text("", "stop")),
        chunk(text(""), usage=REAL),
    ],
    "8: in the middle, null behind it": [
        chunk(text(), usage=None),
        chunk(text(), usage=REAL),
        chunk(text("", "stop"), usage=None),
        chunk([], usage=None),
    ],
    "10: three times": [
        chunk(text()),
        chunk(text("", "stop"), usage=REAL),
        chunk([], usage=REAL),
        chunk([], usage=REAL),
    ],
    "4: zeros behind the counts": [
        chunk(text()),
        chunk(text("", "stop"), usage=REAL),
        chunk([], usage=ZERO),
    ],
}


@pytest.mark.parametrize("documents", TOLD.values(), ids=TOLD)
def test_counts_are_told_once_wherever_they_come(documents: list[bytes]) -> None:
    chunks = read(sent(*documents))
    assert last_usage(chunks) == COUNTS
    assert b'"usage"' not in b"".join(one.data for one in chunks), "the gateway writes its own, once"


def test_cached_and_written_tokens_inside_the_prompt_are_apart() -> None:
    """Report 24."""
    usage = last_usage(read(sent(chunk(text("", "stop"), usage=DETAILED))))
    assert usage is not None
    assert (usage["input"], usage["cached_input"]) == (200, 2_000)
    assert sum(count for unit, count in usage.items() if "write" in unit) == 400


CONTENT = {
    "58: a call of a tool without a name": '{"tool_calls":[{"index":0,"function":{"name":null,"arguments":"{}"}}]}',
    "58: without an index": '{"tool_calls":[{"id":"call_1","function":{"name":"f","arguments":"{\\"a\\":1}"}}]}',
    "58: ids of 19 digits": '{"tool_calls":[{"index":0,"id":1234567890123456789,"function":{"arguments":""}}]}',
    "60: a refusal": '{"content":null,"refusal":"I will not."}',
    "60: annotations": '{"content":"x","annotations":[{"type":"url_citation","score":0.10000000000000000555}]}',
    "60: reasoning details": '{"content":"","reasoning_details":[{"type":"reasoning.encrypted","data":"AA=="}]}',
    "60: members of nobody": '{"content":"x","vendor":{"seed":18446744073709551616,"f":1.0e-3}}',
    "56: an event of 1.5 MB": '{"content":"' + "x" * 1_500_000 + '"}',
}


@pytest.mark.parametrize("delta", CONTENT.values(), ids=CONTENT)
def test_a_delta_passes_byte_for_byte(delta: str) -> None:
    logprobs = '{"content":[{"token":"x","logprob":-0.30000000000000004,"bytes":[120]}]}'
    choice = f'{{"index":0,"delta":{delta},"logprobs":{logprobs},"finish_reason":null}}'
    document = f'{{"id":"up","model":"native","choices":[{choice}]}}'
    data = NEXT_EVENT.join(one.data for one in read(sent(document.encode(), chunk(text("", "stop")))))
    assert choice.encode() in data


def test_events_that_one_newline_parts_are_malformed() -> None:
    """Report 54. The grammar makes one event of them, and no document is two."""
    stream = sent(chunk(text()), chunk(text("", "stop"))).replace(b"\n\n", b"\n") + b"\n"
    with pytest.raises(BrokenAnswer) as raised:
        read(stream)
    assert raised.value.error_class is ErrorClass.MALFORMED_ANSWER
