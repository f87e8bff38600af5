"""Sabotages of how streams end and what providers say."""

from tests.sabotage.patch import Patch

STREAM = "application/generate/stream_chat.py"
READER = "adapters/outbound/providers/dialects/openai_stream.py"
ENDINGS = "tests/adapters/http/test_stream_endings.py"
GRAMMAR = "tests/adapters/providers/test_openai_endings.py"

STREAM_PATCHES = (
    Patch(
        "P1",
        "the end of one choice holds all others back",
        STREAM,
        "if chunk.is_last:",
        "if chunk.is_last or self._ended:",
        ENDINGS,
    ),
    Patch(
        "P1",
        "the end of a choice leaves before the settle",
        STREAM,
        "            self._ended.update(chunk.choices)\n",
        "            self._ended.update(chunk.choices)\n            return False\n",
        ENDINGS,
    ),
    Patch("P3", "a stream of nothing is charged", STREAM, "self._produced.is_nothing and", "False and", ENDINGS),
    Patch(
        "P1", "an event named error is passed over", READER, "if isinstance(event, ErrorEvent):", "if False:", GRAMMAR
    ),
    Patch(
        "P6", "done without a finish_reason ends in nothing", READER, "yield from self._missing_ends()", "pass", GRAMMAR
    ),
    Patch(
        "P2",
        "an encoding that nobody asked for is unpacked",
        "adapters/outbound/providers/responses.py",
        "    if not _is_plain(response):\n",
        "    if False:\n",
        "tests/contracts/test_chat_providers.py",
    ),
)
