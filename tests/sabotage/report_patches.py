"""Sabotages of what public reports and real clients found."""

from tests.sabotage.patch import Patch

DIALECTS = "adapters/outbound/providers/dialects"
HTTP = "adapters/inbound/http"
ENDINGS = "tests/adapters/providers/test_openai_endings.py"
CONTRACT = "tests/contracts/test_chat_providers.py"

REPORT_PATCHES = (
    Patch(
        "keys",
        "a key may be born dead",
        "domain/api_key/ranges.py",
        "if is_new and settings.expires_at is not None and settings.expires_at <= at:",
        "if False:",
        "tests/domain/test_api_key_decider.py::test_no_key_is_born_dead",
    ),
    Patch(
        "P6",
        "a date in Retry-After is no time",
        "adapters/outbound/providers/responses.py",
        "asked_s = _seconds_until(asked)",
        "asked_s = math.inf",
        f"{CONTRACT}::test_a_rate_limit_may_name_a_date",
    ),
    Patch(
        "P3",
        "a choice that failed is an answer",
        f"{DIALECTS}/openai_members.py",
        "if failed and len(failed) == len(choices):",
        "if False:",
        f"{ENDINGS}::test_a_choice_that_failed_is_a_failure",
    ),
    Patch(
        "P6",
        "an empty finish_reason reaches the client",
        f"{DIALECTS}/openai_members.py",
        'if any(choice.get("finish_reason") == "" for choice in choices):',
        "if False:",
        f"{ENDINGS}::test_an_empty_finish_reason_becomes_null_and_all_else_stays",
    ),
    Patch(
        "P6",
        "a byte order mark makes a stream unreadable",
        f"{DIALECTS}/openai_stream.py",
        "self._begin.removeprefix(BYTE_ORDER_MARK), None",
        "self._begin, None",
        f"{ENDINGS}::test_a_byte_order_mark_is_dropped_wherever_it_is_split",
    ),
    Patch(
        "P6",
        "a model with two slashes in its id is not found",
        f"{HTTP}/routes/models.py",
        '"/v1/models/{model:path}"',
        '"/v1/models/{model}"',
        "tests/adapters/http/test_models.py::test_every_listed_id_is_found_as_it_is_encoded_and_by_its_short_name",
    ),
    Patch(
        "P2",
        "a page of ours loads scripts of other hosts",
        f"{HTTP}/routes/api.py",
        "        docs_url=None,  # FastAPI's pages",
        '        docs_url="/docs",  # FastAPI\'s pages',
        "tests/adapters/http/test_cors.py::test_there_is_no_page_that_loads_scripts_of_other_hosts",
    ),
    Patch(
        "P6",
        "an answer has no id to quote",
        f"{HTTP}/reply.py",
        '(b"x-request-id", self.request_id.encode()), *PROTECTING',
        "*PROTECTING",
        "tests/adapters/http/test_envelopes.py::test_every_answer_has_a_request_id_of_its_own",
    ),
    Patch(
        "P6",
        "no key, a wrong one and the admin's get one sentence",
        f"{HTTP}/request_headers.py",
        'raise DomainError("invalid_api_key", mistake="none_sent")',
        'raise DomainError("invalid_api_key")',
        "tests/adapters/http/test_bad_input.py::test_each_mistake_with_a_key_has_a_sentence_of_its_own",
    ),
    Patch(
        "P9",
        "a refused request leaves no line in the log",
        "adapters/outbound/telemetry/telemetry.py",
        "tell = log.warning if refusal.status >= 500 else log.info",
        "tell = log.debug",
        "tests/adapters/telemetry/test_lines.py",
    ),
    Patch(
        "P6",
        "today's header for a title is not read",
        f"{HTTP}/request_headers.py",
        'self.found.get(b"x-openrouter-title") or ',
        "",
        "tests/adapters/http/test_app_headers.py",
    ),
    Patch(
        "P6",
        "no page in a browser may call",
        f"{HTTP}/cors.py",
        'if not is_preflight or not scope["path"].startswith(TREES):',
        "if True:",
        "tests/adapters/http/test_cors.py::test_a_preflight_is_answered_without_a_key",
    ),
    Patch(
        "P6",
        "an encoding that is not understood is taken for none",
        f"{HTTP}/inflate.py",
        "if encoding and encoding not in ENCODINGS:",
        "if False:",
        "tests/adapters/http/test_compressed_bodies.py::test_another_encoding_is_415_by_its_name",
    ),
)
