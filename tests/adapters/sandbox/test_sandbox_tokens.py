"""The sandbox's token rule, which tests count money by."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.embedded.sandbox.tokens import count, count_prompt, tokens_of

TEXTS = st.text(alphabet="ab \n\té😀", max_size=40)


@given(TEXTS)
def test_tokens_are_words_and_lose_nothing(text: str) -> None:
    tokens = tokens_of(text)
    assert len(tokens) == count(text) == len(text.split())
    assert "".join(tokens) == (text if text.split() else "")


def test_a_prompt_counts_texts_parts_and_tool_arguments() -> None:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "what is this"}, {"type": "image_url", "image_url": {}}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}]},
        {"role": "tool", "content": "42"},
    ]
    assert count_prompt(messages) == 2 + 3 + 2 + 1
    assert count_prompt([{"role": "user", "content": ""}]) == 1
