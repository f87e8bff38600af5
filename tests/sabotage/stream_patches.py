"""Sabotages of how streams end and what providers say."""

from tests.sabotage.patch import Patch

STREAM, OPEN = "application/generate/stream_chat.py", "application/generate/open_stream.py"
READER = "adapters/outbound/providers/dialects/openai_stream.py"
ENDINGS = "tests/adapters/http/inference/test_stream_endings.py"
BOUNDS = "tests/adapters/http/server/test_stream_bounds.py"
CALLED = "tests/adapters/providers/test_http_chat_providers.py"
SSE = "adapters/outbound/providers/dialects/sse.py"
HANG_UP = "tests/adapters/http/server/test_hang_up.py"
GRAMMAR = "tests/adapters/providers/test_openai_endings.py"

STREAM_PATCHES = (
    Patch(
        "secrets",
        "a stream that breaks off quotes what is about the operator's account",
        "adapters/outbound/providers/failures.py",
        'words=error.message if verdict.error_class in QUOTABLE else "",',
        "words=error.message,",
        "tests/adapters/providers/test_http_chat_providers.py",
    ),
    Patch(
        "words",
        "of a list of mistakes only the first is told",
        "adapters/outbound/providers/dialects/openai_errors.py",
        "for error in errors[:MAX_LISTED]",
        "for error in errors[:1]",
        "tests/adapters/providers/test_openai_answer.py",
    ),
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
    Patch("P3", "a stream of nothing is charged", STREAM, "not self._produced.is_nothing or", "True or", ENDINGS),
    Patch(
        "P1", "an event named error is passed over", READER, "if isinstance(event, ErrorEvent):", "if False:", GRAMMAR
    ),
    Patch(
        "P6", "done without a finish_reason ends in nothing", READER, "yield from self._missing_ends()", "pass", GRAMMAR
    ),
    Patch(
        "P1",
        "a blank line too many is a fault of ours",
        SSE,
        "return _past(events.find(END, start)) or len(events)",
        "return events.index(END, start) + len(END)",
        GRAMMAR,
    ),
    Patch(
        "P2",
        "an encoding that nobody asked for is unpacked",
        "adapters/outbound/providers/responses.py",
        "    if not _is_plain(response):\n",
        "    if False:\n",
        "tests/adapters/providers/test_http_chat_providers.py",
    ),
    Patch("P8", "comments have no bound", SSE, "if self._idle > MAX_IDLE_LINES:", "if False:", CALLED),
    Patch(
        "P8",
        "events that say nothing have no bound",
        READER,
        "if self._silent > MAX_SILENT_EVENTS:",
        "if False:",
        CALLED,
    ),
    Patch("P8", "an answer too large to be stored is kept", STREAM, "            self._parts.clear()\n", "", BOUNDS),
    Patch(
        "P8",
        "a stream for HTTP/1.0 is gathered without a bound",
        "adapters/inbound/http/server/gather_answer.py",
        "        if self._size > MAX_GATHERED_BYTES:\n",
        "        if False:\n",
        BOUNDS,
    ),
    Patch(
        "P6",
        "a stream that breaks off does not say what its provider did",
        "application/generate/stream_end.py",
        "message, {**refusal.facts, **_facts(held)}, receipt, raw_usage)",
        "message, _facts(held), receipt, raw_usage)",
        "tests/adapters/http/inference/test_broken_streams.py",
    ),
    Patch(
        "P6",
        "an error in a stream is written by a second hand",
        "adapters/inbound/http/errors/table.py",
        "return _answer(row, code, message, _param(facts), facts)",
        'return ErrorAnswer(row.status, ErrorDetail(message, "server_error", code, None, dict(facts)), ())',
        "tests/adapters/http/inference/test_broken_streams.py",
    ),
    Patch(
        "P6",
        "a latency is a difference of dates",
        "application/generate/settle_charge.py",
        "round((self._clock.elapsed_s() - held.started_s) * 1_000)",
        "round((now - held.reserve.at).total_seconds() * 1_000)",
        "tests/adapters/http/inference/test_latencies.py",
    ),
    Patch("P6", "a role counts as output", OPEN, "(chunk.data and not chunk.is_bare)", "bool(chunk.data)", BOUNDS),
    Patch(
        "P6",
        "what no retry cures is retried",
        "adapters/inbound/http/errors/table.py",
        "if row.is_final or (row.status >= 500 and retry_after_s is None):",
        "if row.is_final:",
        BOUNDS,
    ),
    Patch(
        "P6",
        "a wrong key is worth repeating",
        "adapters/outbound/providers/failures.py",
        "if error_class in TRANSIENT else None",
        "if error_class else None",
        "tests/adapters/providers/test_worth_repeating.py",
    ),
    Patch(
        "P6",
        "a web page is told",
        "adapters/outbound/providers/watch.py",
        '"" if _MARKUP.search(error.message) else ',
        "",
        CALLED,
    ),
    Patch(
        "P3",
        "half a character in a usage is a fault of ours",
        "adapters/outbound/providers/dialects/openai_usage.py",
        "    except UnicodeEncodeError:\n",
        "    except ZeroDivisionError:\n",
        "tests/adapters/providers/test_openai_stream.py",
    ),
    Patch(
        "P3",
        "who hung up before the answer began is served to the end",
        "adapters/inbound/http/server/stream_reply.py",
        "        elif connection.is_lost:\n            self._gone()\n",
        "",
        HANG_UP,
    ),
    Patch(
        "P3",
        "who hangs up is not noticed",
        "adapters/inbound/http/edge/connections.py",
        "        if self.on_lost is not None:\n            self.on_lost()\n",
        "",
        HANG_UP,
    ),
    Patch(
        "P1",
        "the end of an event waits for the next one",
        READER,
        "len(begins) <= MAX_HELD_BYTES and self._events.is_between_events",
        "len(begins) <= MAX_HELD_BYTES",
        "tests/adapters/providers/test_openai_stream.py",
    ),
    Patch(
        "bounded",
        "the end of the data passes for the size of a chunk",
        "adapters/outbound/providers/http1/body.py",
        " and len(line) >= USUAL_LINE_BYTES",
        "",
        "tests/adapters/http1/test_body.py",
    ),
    Patch(
        "bounded",
        "a place at a provider is given back twice",
        "adapters/outbound/providers/shared_providers.py",
        "        leave, self._leave = self._leave, None\n",
        "        leave = self._leave\n",
        "tests/adapters/providers/test_shared_providers.py",
    ),
)
