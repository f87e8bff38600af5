"""What `echo` answers."""

from typing import Any

import pytest

from adapters.embedded.sandbox.directions import Directions
from adapters.embedded.sandbox.produce import Produced, Refused, produce

TOOLS = [
    {"type": "function", "function": {"name": "first", "parameters": {"properties": {"n": {"type": "integer"}}}}},
    {"type": "function", "function": {"name": "second", "parameters": {"properties": {"s": {"type": "string"}}}}},
]


def produced(directions: Directions | None = None, **body: Any) -> Produced:
    messages = [{"role": "user", "content": "one two three"}]
    return produce({"messages": messages, **body}, directions or Directions())


def test_it_repeats_the_last_user_message() -> None:
    answer = produced()
    assert (answer.text, answer.finish_reason, answer.prompt_tokens, answer.completion_tokens) == (
        "one two three",
        "stop",
        3,
        3,
    )


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_it_keeps_to_the_token_limit(field: str) -> None:
    two: Any = {field: 2}
    three: Any = {field: 3}
    answer = produced(**two)
    assert (answer.text, answer.finish_reason, answer.completion_tokens) == ("one two", "length", 2)
    assert produced(**three).finish_reason == "stop"


def test_every_choice_is_counted() -> None:
    assert produced(n=4).completion_tokens == 12


def test_the_length_can_be_asked_for() -> None:
    assert produced(Directions(words=5)).text == "one two three one two"
    assert produced(Directions(words=1)).text == "one"


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        (None, "first"),
        ("auto", "first"),
        ("required", "first"),
        ({"type": "function", "function": {"name": "second"}}, "second"),
    ],
)
def test_it_calls_the_tool_asked_for_or_the_first(choice: Any, name: str) -> None:
    answer = produced(tools=TOOLS, tool_choice=choice)
    assert (answer.function, answer.finish_reason) == (name, "tool_calls")
    assert answer.text == {"first": '{"n":1}', "second": '{"s":"one two three"}'}[name]


def test_it_calls_no_tool_after_a_result_or_when_told_not_to() -> None:
    assert produced(tools=TOOLS, tool_choice="none").function is None
    results = [{"role": "user", "content": "x"}, {"role": "tool", "content": "42"}]
    assert produced(tools=TOOLS, messages=results).function is None


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"n": 129}, "n"),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "third"}}}, "tool_choice"),
    ],
)
def test_it_refuses_what_openai_refuses(body: dict[str, Any], param: str) -> None:
    with pytest.raises(Refused) as refused:
        produced(**body)
    assert refused.value.param == param
