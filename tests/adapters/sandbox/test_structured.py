"""`sandbox/echo` answers a request for structured output with JSON that fits, so that a demo of it works."""

import json
from typing import Any

import pytest

from adapters.embedded.sandbox.directions import Directions
from adapters.embedded.sandbox.produce import produce

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "unit": {"enum": ["celsius", "kelvin"]},
        "place": {"type": "object", "properties": {"wet": {"type": "boolean"}}},
    },
}


def said(response_format: Any, spoken: str = "Rome") -> str:
    body = {"messages": [{"role": "user", "content": spoken}], "response_format": response_format}
    return produce(body, Directions()).text


def test_a_schema_is_filled() -> None:
    asked = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA}}
    assert json.loads(said(asked)) == {"city": "Rome", "days": 1, "unit": "celsius", "place": {"wet": True}}


def test_any_object_is_an_object() -> None:
    assert json.loads(said({"type": "json_object"})) == {"echo": "Rome"}


def test_what_fits_already_is_echoed() -> None:
    fitting = '{"city":"Oslo","days":3,"unit":"kelvin","place":{}}'
    assert said({"type": "json_schema", "json_schema": {"schema": SCHEMA}}, fitting) == fitting


@pytest.mark.parametrize(
    "asked",
    [None, {"type": "text"}, {"type": "json_schema"}, {}, "x", {"type": "json_schema", "json_schema": {"schema": 7}}],
)
def test_a_text_is_asked_for_otherwise(asked: Any) -> None:
    assert said(asked) == "Rome"
