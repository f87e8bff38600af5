"""Sabotages of what clients parse."""

from tests.sabotage.patch import Patch

SDK = "tests/adapters/http/inference/test_openrouter_sdk.py"
ENVELOPES = "tests/adapters/http/documents/test_envelopes.py"

SHAPE_PATCHES = (
    Patch(
        "P6",
        "OpenRouter's clients are told in OpenAI's envelope",
        "adapters/inbound/http/server/boundary.py",
        'return OPENROUTER if scope["raw_path"].startswith(b"/api/") else OPENAI',
        "return OPENAI",
        SDK,
    ),
    Patch(
        "P6",
        "an error in a stream is not a chunk",
        "adapters/inbound/http/errors/envelopes.py",
        '            "object": "chat.completion.chunk",\n',
        "",
        SDK,
    ),
    Patch(
        "P3",
        "a refusal after a reserve does not name its generation",
        "application/generate/call_providers.py",
        '        "generation_id": generation_id,\n',
        "",
        ENVELOPES,
    ),
    Patch(
        "P6",
        "a whole answer lacks what OpenRouter's SDKs require",
        "adapters/inbound/http/shapes/openrouter_members.py",
        "    include_byok_in_limit: bool = False\n",
        "",
        SDK,
    ),
    Patch(
        "P6",
        "chunks do not name their provider",
        "adapters/outbound/providers/dialects/openai_members.py",
        ', "provider": written(offer.provider)}',
        "}",
        "tests/adapters/providers/test_openai_splice.py",
    ),
)
