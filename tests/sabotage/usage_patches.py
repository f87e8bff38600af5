"""Sabotages of how a provider's usage is read and believed."""

from tests.sabotage.patch import Patch

READER = "adapters/outbound/providers/dialects/openai_usage.py"
METER = "application/generate/meter_answer.py"
LAW = "tests/laws/test_usage_law.py"
OUTPUT = "adapters/outbound/providers/dialects/openai_output.py"
ANSWER = "tests/adapters/providers/test_openai_answer.py"
UNITS = "tests/adapters/providers/test_openai_usage.py"
METERED = "tests/application/test_meter_answer.py"

USAGE_PATCHES = (
    Patch(
        "P6",
        "a closing usage of zeros takes back what was told of a cache",
        READER,
        "if not says_something and (self._is_real or not new):",
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
        "return len(charged) > 1",
        "return False",
        LAW,
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
    Patch("P6", "512.0 is no count", READER, "if type(told) is float and told.is_integer():", "if False:", LAW),
    Patch(
        "P1",
        "reasoning told as details alone is given away",
        OUTPUT,
        "reasoning = max(reasoning, _bytes_of_details(value))",
        "pass",
        ANSWER,
    ),
    Patch(
        "P6",
        "reasoning told under three names is counted twice",
        OUTPUT,
        "reasoning = max(reasoning, _bytes_of_details(value))",
        "reasoning += _bytes_of_details(value)",
        ANSWER,
    ),
)
