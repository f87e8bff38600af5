"""Sabotages of how a provider's usage is read and believed."""

from tests.sabotage.patch import Patch

READER = "adapters/outbound/providers/dialects/openai_usage.py"
METER = "application/generate/metering/meter_answer.py"
LAW = "tests/laws/test_usage_law.py"
TEXTS = "application/generate/metering/billed_texts.py"
ANSWER = "tests/adapters/providers/test_openai_answer.py"
UNITS = "tests/adapters/providers/test_openai_usage.py"
ESTIMATE = "application/generate/metering/estimate_tokens.py"
WORKER = "adapters/outbound/tokens/worker_counter.py"
BILLED = "tests/application/test_billed_texts.py"
ESTIMATED = "tests/application/test_estimate_tokens.py"
COUNTING = "tests/adapters/tokens/test_counting.py"
METERED = "tests/application/test_meter_answer.py"

USAGE_PATCHES = (
    Patch(
        "price",
        "a client's higher max_price passes",
        "adapters/outbound/providers/dialects/openrouter_max_price.py",
        "if asked is None or asked > Decimal(price):",
        "if asked is None:",
        "tests/adapters/providers/test_openrouter_max_price.py",
    ),
    Patch(
        "price",
        "the client's `provider` passes beside the pinned one",
        "adapters/outbound/providers/dialects/openai_request.py",
        " and not (pins and name == MEMBER)",
        "",
        "tests/adapters/providers/test_openrouter_max_price.py",
    ),
    Patch(
        "P6",
        "a closing usage of zeros takes back what was told of a cache",
        READER,
        "if not _says_something(new) and (self._is_real or not new):",
        "if not new:",
        UNITS,
    ),
    Patch("P6", "a total decides nothing", READER, 'if new.get("total", 0) > 0:', "if False:", LAW),
    Patch("P6", "the row decides nothing", READER, '*(where == "beside" for where in', "*(False for where in", LAW),
    Patch(
        "P6",
        "a total that explains nothing is no doubt",
        READER,
        "            return True\n",
        "            return False\n",
        LAW,
    ),
    Patch(
        "P6",
        "of several readings one is taken and nobody is told",
        READER,
        "return any(_disjoint(counts, other) != charged for other in explaining[1:])",
        "return False",
        UNITS,
    ),
    Patch(
        "P6",
        "a zero beside a text is believed",
        METER,
        "    if not output_tokens(usage):\n",
        '    if "output" not in usage:\n',
        METERED,
    ),
    Patch(
        "P2",
        "what is doubtful may cost more than was reserved",
        METER,
        "_with_flat_units(held, _within_bounds(held, whole))",
        "_with_flat_units(held, whole)",
        METERED,
    ),
    Patch(
        "P2",
        "a provider may count a thousand times what was asked",
        METER,
        "if tokens > most + slack:",
        "if tokens > 2 * held.offer.context_length + slack:",
        METERED,
    ),
    Patch(
        "P6",
        "512.0 is no count",
        READER,
        "int(value) if type(value) is float and value.is_integer() else NOT_A_COUNT",
        "NOT_A_COUNT",
        LAW,
    ),
    Patch(
        "P1",
        "reasoning told as details alone is given away",
        TEXTS,
        'reasoning = max(reasoning, "".join(_named(_objects(value), _OF_DETAILS)), key=len)',
        "pass",
        ANSWER,
    ),
    Patch(
        "P6",
        "reasoning told under three names is counted twice",
        TEXTS,
        'reasoning = max(reasoning, "".join(_named(_objects(value), _OF_DETAILS)), key=len)',
        'reasoning += "".join(_named(_objects(value), _OF_DETAILS))',
        ANSWER,
    ),
    Patch(
        "P6",
        "an estimate bills the envelope",
        TEXTS,
        'return "\\n".join(_of_request(decoded)) if isinstance(decoded, dict) else ""',
        'return body.decode("utf-8", "replace")',
        BILLED,
    ),
    Patch("P6", "estimates are made from bytes", ESTIMATE, "if not metered.estimated:", "if True:", ESTIMATED),
    Patch(
        "P6",
        "a stream whose beginning was kept is billed for that alone",
        ESTIMATE,
        "return max(counted.tokens, -(-counted.tokens * output_bytes // counted.text_bytes))",
        "return counted.tokens",
        ESTIMATED,
    ),
    Patch(
        "P6",
        "files are free where no usage is told",
        "application/generate/request/read_messages.py",
        "self.attached_tokens += typical_tokens(beyond, self.inlined_bytes - text_bytes)",
        "pass",
        BILLED,
    ),
    Patch(
        "P8",
        "a text of 32 MB is counted to its end",
        "adapters/outbound/tokens/vocabulary.py",
        "sample = _beginning(text)",
        "sample = text",
        COUNTING,
    ),
    Patch(
        "P8",
        "tokens are counted where requests are served",
        WORKER,
        "await asyncio.get_running_loop().run_in_executor(self._thread, self._count, read)",
        "self._count(read)",
        COUNTING,
    ),
    Patch("P8", "any number waits for the counter", WORKER, "if self._waiting >= MAX_WAITING:", "if False:", COUNTING),
    Patch("P1", "a count that fails loses the charge", WORKER, "except Exception:", "except KeyError:", COUNTING),
)
