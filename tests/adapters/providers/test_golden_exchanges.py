"""Every provider of the registry has golden exchanges, and what was once read is read for ever."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.outbound.providers.dialects.dialect import Dialect
from adapters.outbound.providers.endpoint import Endpoint, endpoint_of
from adapters.outbound.providers.offers.read_rows import REGISTRY_FILE, read_rows
from adapters.outbound.providers.route import DIALECTS
from application.ports.provider_answer import Chunk
from tests.adapters.providers.call_words import GENERATION_ID, MODEL, a_call, last_usage

GOLDEN = Path(__file__).parents[2] / "golden" / "providers"
ROWS = read_rows(REGISTRY_FILE)
EXCHANGES = sorted(file for file in GOLDEN.glob("*/*.*") if file.name != "expected.json")


def endpoint(file: Path) -> Endpoint:
    return endpoint_of(file.parent.name, ROWS[file.parent.name], "sk-test")


def dialect(file: Path) -> Dialect:
    return DIALECTS[endpoint(file).dialect]


def expected(file: Path) -> dict[str, Any]:
    found = msgspec.json.decode((file.parent / "expected.json").read_bytes())[file.name]
    assert isinstance(found, dict)
    return found


def texts(part: dict[str, Any]) -> str:
    calls = [call["function"] for call in part.get("tool_calls") or []]
    called = "".join(call.get("name", "") + call.get("arguments", "") for call in calls)
    return (part.get("content") or "") + (part.get("reasoning") or "") + called


@pytest.mark.parametrize("provider", ROWS)
def test_every_row_of_the_registry_has_its_exchanges(provider: str) -> None:
    assert {"chat.json", "chat.sse", "error.json"} <= {file.name for file in (GOLDEN / provider).iterdir()}


@pytest.mark.parametrize("file", [file for file in EXCHANGES if file.name == "chat.json"], ids=str)
def test_a_whole_answer_is_read(file: Path) -> None:
    answer = dialect(file).read_answer(file.read_bytes(), a_call(), endpoint(file))
    body = msgspec.json.decode(answer.body)
    text = "".join(texts(choice["message"]) for choice in body["choices"])
    found = {
        "usage": answer.usage,
        "finish_reason": answer.finish_reason,
        "provider_generation_id": answer.provider_generation_id,
        "text": text,
    }
    assert found == expected(file)
    assert (body["id"], body["model"], "usage" in body) == (GENERATION_ID, MODEL, False)
    assert answer.output_bytes == len(text.encode())


@pytest.mark.parametrize("file", [file for file in EXCHANGES if file.suffix == ".sse"], ids=str)
def test_a_stream_is_read(file: Path) -> None:
    reader = dialect(file).read_stream(a_call(), endpoint(file))
    chunks = [*reader.feed(file.read_bytes()), *reader.end()]
    documents = [msgspec.json.decode(chunk.data) for chunk in chunks if chunk.data]
    found = {
        "usage": last_usage(chunks),
        "finish_reason": next(chunk.finish_reason for chunk in chunks if chunk.is_last),
        "provider_generation_id": chunks[0].provider_generation_id,
        "text": "".join(texts(choice["delta"]) for document in documents for choice in document["choices"]),
    }
    assert found == expected(file)
    assert {(one["id"], one["model"], "usage" in one) for one in documents} == {(GENERATION_ID, MODEL, False)}
    assert not any("usage" in one.get("x_groq", {}) for one in documents)
    assert sum(chunk.output_bytes for chunk in chunks) == len(found["text"].encode())
    assert_nothing_is_billed_before_it_is_settled(chunks)


def assert_nothing_is_billed_before_it_is_settled(chunks: list[Chunk]) -> None:
    """No chunk after the one with the finish_reason carries output."""
    last = next(number for number, chunk in enumerate(chunks) if chunk.is_last)
    assert not any(chunk.output_bytes for chunk in chunks[last + 1 :])


@pytest.mark.parametrize("file", [file for file in EXCHANGES if file.name == "error.json"], ids=str)
def test_an_error_is_read(file: Path) -> None:
    assert dialect(file).read_error(file.read_bytes())._asdict() == expected(file)
