"""Ways to break what bounds a request's body and what is read of it."""

from tests.sabotage.patch import Patch

READING = "tests/application/test_read_chat_request.py"
LARGE = "tests/adapters/http/server/test_large_bodies.py"
COMPRESSED = "tests/adapters/http/server/test_compressed_bodies.py"
WRITING = "tests/adapters/providers/test_openai_request.py"
LAW = "tests/laws/test_body_law.py"

BODY_PATCHES = (
    Patch(
        "P2",
        "what is only named is bounded by the bytes that name it",
        "application/generate/request/read_chat_request.py",
        "return context_length if self.beyond else self.prompt_bytes",
        "return self.prompt_bytes",
        "tests/adapters/http/server/test_bounds.py",
    ),
    Patch(
        "P2",
        "a data URL is an image whatever its media type",
        "application/generate/request/read_messages.py",
        'if type_ in _IMAGES and found.keys() <= {"image_url"} and kind in (None, "image"):',
        "if type_ in _IMAGES:",
        f"{READING}::test_what_no_bytes_bound_is_bounded_by_the_models_context",
    ),
    Patch(
        "P2",
        "a file is sent to a model that is not known to take it",
        "application/generate/quote_offer.py",
        'if part.kind != "unknown" and part.kind not in offer.input_modalities:',
        "if False:",
        f"{READING}::test_a_model_that_is_not_known_to_take_it_refuses_it",
    ),
    Patch(
        "P2",
        "the larger of two limits counts",
        "application/generate/request/read_chat_request.py",
        'tokens, field = min(asked, default=(None, ""))',
        'tokens, field = max(asked, default=(None, ""))',
        f"{READING}::test_the_smaller_limit_counts_and_null_is_absent",
    ),
    Patch(
        "P2",
        "tools that the provider runs are passed on",
        "application/generate/request/read_tools.py",
        'return _type_of(tool, where) == "function"',
        "return True",
        READING,
    ),
    Patch(
        "P2",
        "what can cost beyond the call is passed on",
        "adapters/outbound/providers/endpoint.py",
        "if name in self.drops or name in self.priced_or_remote:",
        "if name in self.drops:",
        WRITING,
    ),
    Patch(
        "P6",
        "of two equal members one is charged and the other sent",
        "application/generate/request/members.py",
        "            if name in found:\n",
        "            if False:\n",
        LAW,
    ),
    Patch(
        "P6",
        "two limits are sent",
        "adapters/outbound/providers/dialects/openai_request.py",
        "elif name not in OURS and endpoint.passes(name, EXTRAS)",
        "elif endpoint.passes(name, EXTRAS)",
        f"{WRITING}::test_one_limit_reaches_the_provider_and_null_is_none",
    ),
    Patch(
        "bounded",
        "a large body is read though nobody can pay for it",
        "adapters/inbound/http/server/request_body.py",
        "if size > SMALL_BYTES and self._check_large is not None:",
        "if False and self._check_large is not None:",
        f"{LARGE}::test_without_credit_a_large_body_is_402_before_it_is_read",
    ),
    Patch(
        "bounded",
        "bodies in flight have no budget",
        "adapters/inbound/http/server/body_budget.py",
        "return self.held_bytes + size <= room",
        "return True",
        f"{LARGE}::test_beyond_the_budget_a_body_waits_and_is_then_refused",
    ),
    Patch(
        "bounded",
        "a large body's structure becomes objects",
        "adapters/inbound/http/server/request_body.py",
        "            if brackets > MAX_BRACKETS:\n",
        "            if False:\n",
        f"{LARGE}::test_a_large_body_that_is_all_structure_is_refused_before_it_becomes_objects",
    ),
    Patch(
        "bounded",
        "a compressed body is decoded beyond the limit",
        "adapters/inbound/http/server/request_body.py",
        "        size += len(piece)\n",
        "",
        f"{COMPRESSED}::test_a_bomb_ends_at_the_limit",
    ),
    Patch(
        "P5",
        "the same request, compressed, is another one",
        "adapters/inbound/http/inference/chat_route.py",
        "body = await read_body(receive, headers, self._limits, lease, may_be_large)\n",
        "body = await read_body(receive, headers, self._limits, lease, may_be_large)\n"
        "            body += b' ' * len(headers.found.get(b'content-encoding', b''))\n",
        f"{COMPRESSED}::test_the_hash_behind_an_idempotency_key_is_of_what_was_meant",
    ),
)
