"""What billing reads of a request: one reading of each member, and a bound that is one."""

from typing import Any

import msgspec
import pytest

from application.generate.quote_offer import offers_for, quote_offer
from application.generate.request.read_chat_request import IMAGE_TOKENS, ChatRequest, read_body
from domain.catalog.offer import Offer
from domain.errors import DomainError
from domain.pricing.price import PriceSet, PriceTier
from tests.fakes.memory_catalog import MemoryCatalog

CONTEXT = 128_000
PRICES = PriceSet("v1", (PriceTier(0, {"input": 10**9, "output": 2 * 10**9}),))


def an_offer(*modalities: str, provider: str = "acme", context_length: int = CONTEXT) -> Offer:
    return Offer(
        model="acme/m",
        provider=provider,
        native_id="m",
        prices=PRICES,
        cost_prices=PRICES,
        context_length=context_length,
        max_output_tokens=1_000,
        input_modalities=("text", *modalities),
    )


def body(content: Any = "hi", **more: Any) -> bytes:
    return msgspec.json.encode({"model": "acme/m", "messages": [{"role": "user", "content": content}], **more})


def read(content: Any = "hi", **more: Any) -> ChatRequest:
    return read_body(body(content, **more))


def refusal(raw: bytes) -> tuple[str, object]:
    with pytest.raises(DomainError) as refused:
        read_body(raw)
    return refused.value.code, refused.value.facts.get("param")


def data(media_type: str, size: int = 3_000) -> str:
    return f"data:{media_type};base64,{'A' * size}"


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


# ---- limits


@pytest.mark.parametrize(
    ("limits", "tokens", "field"),
    [
        ({"max_tokens": 50, "max_completion_tokens": 100}, 50, "max_tokens"),
        ({"max_tokens": 100, "max_completion_tokens": 50}, 50, "max_completion_tokens"),
        ({"max_tokens": None, "max_completion_tokens": 50}, 50, "max_completion_tokens"),
        ({"max_tokens": 100.0}, 100, "max_tokens"),
        ({"max_tokens": None}, None, ""),
        ({}, None, ""),
    ],
)
def test_the_smaller_limit_counts_and_null_is_absent(limits: dict[str, Any], tokens: int | None, field: str) -> None:
    request = read(**limits)
    assert (request.requested_tokens, request.limit_field) == (tokens, field)


@pytest.mark.parametrize(
    "value", [b"0", b"-1", b'"100"', b"true", b"1.5", b"1" + b"0" * 30, b"1e30", b"[1]", b"9" * 5_000]
)
def test_a_limit_that_is_no_whole_number_in_range_is_named(value: bytes) -> None:
    raw = body()[:-1] + b',"max_tokens":' + value + b"}"
    assert refusal(raw) == ("invalid_request", "max_tokens")


# ---- duplicates

TWICE = [
    (b'{"model":"a","model":"b","messages":[{"role":"user"}]}', "model"),
    (b'{"model":"a","messages":[{"role":"user"}],"max_tokens":1,"max_tok\\u0065ns":1000}', "max_tokens"),
    (b'{"model":"a","messages":[{"role":"user"}],"messages":[]}', "messages"),
    (b'{"model":"a","messages":[{"role":"user"}],"n":1,"n":100}', "n"),
    (b'{"model":"a","messages":[{"role":"user"}],"tools":[],"tools":[{"type":"web"}]}', "tools"),
    (b'{"model":"a","messages":[{"role":"user","content":"x","content":[]}]}', "messages[0].content"),
    (
        b'{"model":"a","messages":[{"role":"user","content":[{"type":"text","t\\u0079pe":"file","text":"x"}]}]}',
        "messages[0].content[0].type",
    ),
    (
        b'{"model":"a","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"a","url":"b"}}]}]}',
        "messages[0].content[0].image_url.url",
    ),
    (
        b'{"model":"a","messages":[{"role":"user"}],"tools":[{"type":"function","type":"web_search"}]}',
        "tools[0].type",
    ),
]


@pytest.mark.parametrize(("raw", "param"), TWICE, ids=[param for _, param in TWICE])
def test_what_is_read_may_be_there_once(raw: bytes, param: str) -> None:
    assert refusal(raw) == ("duplicate_member", param)


def test_what_is_not_read_may_be_there_twice() -> None:
    raw = b'{"seed":1,"model":"a","seed":2,"messages":[{"role":"user","name":"x","name":"y","content":"z"}]}'
    assert [name for name, _ in read_body(raw).members] == ["seed", "model", "seed", "messages"]


# ---- the prompt's bound


def test_bytes_bound_a_text_in_whatever_parts_it_comes() -> None:
    texts = [{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}, {"type": "refusal", "refusal": "c"}]
    request = read(texts)
    assert request.most_input_tokens(CONTEXT) == len(body(texts))


@pytest.mark.parametrize(
    "url", ["https://x.example/a.png", data("image/png"), data("IMAGE/svg+xml").replace("data", "Data")]
)
def test_an_image_has_its_bound_and_its_data_are_no_text(url: str) -> None:
    request = read([image(url)])
    assert request.images == 1
    inlined = 0 if url.startswith("https") else len(url)
    assert request.most_input_tokens(CONTEXT) == len(body([image(url)])) - inlined + IMAGE_TOKENS


def test_escaped_slashes_hide_no_media_type() -> None:
    raw = body([image(data("image/png"))]).replace(b"/", b"\\/")
    assert read_body(raw).prompt_bytes < 300
    assert read_body(body([image(data("video/mp4"))]).replace(b"/", b"\\/")).beyond[0].kind == "video"


BEYOND = [
    ("file", {"type": "file", "file": {"file_data": "https://x.example/800-pages.pdf"}}),
    ("file", {"type": "file", "file": {"filename": "a.pdf", "file_data": data("application/pdf")}}),
    ("file", {"type": "input_file", "file_url": "https://x.example/a.pdf"}),
    ("file", {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}}),
    ("file", image(data("application/pdf"))),
    ("video", {"type": "video_url", "video_url": {"url": "https://x.example/a.mp4"}}),
    ("video", image(data("video/mp4"))),
    ("video", image(" " + data("Video/MP4"))),
    ("video", {"type": "image_url", "image_url": data("video/mp4")}),
    ("audio", {"type": "input_audio", "input_audio": {"data": "A" * 900, "format": "wav"}}),
    ("audio", {"type": "audio_url", "audio_url": {"url": "https://x.example/a.wav"}}),
    ("audio", {"type": "text", "text": "x", "audio_url": data("audio/wav")}),
    ("unknown", {"type": "hologram", "hologram": "https://x.example/a"}),
    ("unknown", {"type": "text", "text": "x", "image_url": {"url": "https://x.example/a.png"}}),
    ("unknown", {"no": "type"}),
    ("unknown", "just a text"),
]


@pytest.mark.parametrize(("kind", "part"), BEYOND)
def test_what_no_bytes_bound_is_bounded_by_the_models_context(kind: str, part: Any) -> None:
    request = read([part])
    assert [found.kind for found in request.beyond] == [kind]
    assert request.most_input_tokens(CONTEXT) == CONTEXT
    assert request.prompt_bytes < 300
    held = quote_offer(request, an_offer("file", "audio", "video"), PRICES)
    assert held.fixed_fusd == CONTEXT * 10**9


@pytest.mark.parametrize(("kind", "part"), [case for case in BEYOND if case[0] != "unknown"])
def test_a_model_that_is_not_known_to_take_it_refuses_it(kind: str, part: Any) -> None:
    with pytest.raises(DomainError) as refused:
        offers_for(MemoryCatalog([an_offer("image")]), read([part]))
    assert (refused.value.code, refused.value.facts["param"]) == ("invalid_request", "messages[0].content[0]")
    taken = offers_for(MemoryCatalog([an_offer("image"), an_offer(kind, provider="second")]), read([part]))
    assert [offer.provider for offer, _ in taken] == ["second"]


def test_an_offer_whose_context_is_too_short_for_the_limit_is_no_fallback() -> None:
    catalog = MemoryCatalog([an_offer(), an_offer(provider="short", context_length=2_000)])
    assert [offer.provider for offer, _ in offers_for(catalog, read(max_tokens=3_000))] == ["acme"]


NAMED = [
    ({"type": "file", "file": {"file_id": "file-1"}}, "messages[0].content[0].file.file_id"),
    ({"type": "input_file", "file_id": "file-1"}, "messages[0].content[0].file_id"),
    ({"type": "input_image", "file_id": "file-1"}, "messages[0].content[0].file_id"),
    ({"type": "image_url", "image_url": {"file_id": "file-1"}}, "messages[0].content[0].image_url.file_id"),
]


@pytest.mark.parametrize(("part", "param"), NAMED)
def test_a_file_in_the_operators_account_cannot_be_named(part: Any, param: str) -> None:
    assert refusal(body([part])) == ("invalid_request", param)


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "container", "file_ids", "cached_content"])
def test_nor_anything_else_that_is_kept_there(name: str) -> None:
    assert refusal(body(**{name: "x_1"})) == ("invalid_request", name)
    assert read(**{name: None}).images == 0


def test_nor_the_audio_of_an_earlier_answer() -> None:
    raw = b'{"model":"a","messages":[{"role":"assistant","audio":{"id":"audio_1"}}]}'
    assert refusal(raw) == ("invalid_request", "messages[0].audio")


def test_images_of_an_earlier_answer_count() -> None:
    shown = image("https://x.example/a.png")
    raw = msgspec.json.encode({"model": "a", "messages": [{"role": "assistant", "content": "x", "images": [shown]}]})
    assert read_body(raw).images == 1


# ---- tools

FUNCTION: dict[str, Any] = {"type": "function", "function": {"name": "f"}}


def members(request: ChatRequest) -> dict[str, Any]:
    return {name: msgspec.json.decode(value) for name, value in request.members}


def test_functions_pass_as_they_came() -> None:
    request = read(tools=[FUNCTION], tool_choice={"type": "function", "function": {"name": "f"}})
    assert request.cut == ()
    assert members(request)["tools"] == [FUNCTION]


@pytest.mark.parametrize(
    "foreign",
    [{"type": "browser_search"}, {"type": "custom", "custom": {}}, {"googleSearch": {}}, {"type": 7}, {"type": None}],
)
def test_every_tool_but_a_function_is_cut_and_told(foreign: Any) -> None:
    request = read(tools=[FUNCTION, foreign, FUNCTION], tool_choice="auto")
    assert members(request)["tools"] == [FUNCTION, FUNCTION]
    assert request.cut == ("tools[1]",)


def test_without_any_function_left_there_are_no_tools_at_all() -> None:
    request = read(tools=[{"type": "web_search"}], tool_choice="required", parallel_tool_calls=False, seed=1)
    assert request.cut == ("tools[0]", "parallel_tool_calls", "tool_choice")
    assert members(request).keys() == {"model", "messages", "seed"}


FUNCTIONS_ONLY = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [FUNCTION]}}


@pytest.mark.parametrize(
    ("choice", "passes"),
    [
        ("none", True),
        (FUNCTIONS_ONLY, True),
        ({"type": "web_search"}, False),
        ({"type": "mcp", "server_label": "x"}, False),
        ({"type": "allowed_tools", "allowed_tools": {"tools": [FUNCTION, {"type": "web_search"}]}}, False),
        ({"type": "allowed_tools", "tools": [{"type": "web_search"}]}, False),
    ],
)
def test_a_choice_of_another_tool_is_cut(choice: Any, passes: bool) -> None:
    request = read(tools=[FUNCTION], tool_choice=choice)
    assert request.cut == (() if passes else ("tool_choice",))
    assert ("tool_choice" in members(request)) is passes
    assert read(tool_choice=choice).cut == request.cut


@pytest.mark.parametrize("tools", [{"type": "web_search"}, ["web_search"], "web_search", 1])
def test_tools_are_a_list_of_objects(tools: Any) -> None:
    assert refusal(body(tools=tools)) == ("invalid_request", "tools")


# ---- bounds


def test_an_object_has_at_most_a_thousand_members() -> None:
    raw = body()[:-1] + b"".join(b',"x%d":1' % i for i in range(1_000)) + b"}"
    assert refusal(raw) == ("invalid_request", None)
