"""The sandbox's token: a run of characters that are not white space, with the white space around it.

Easy to count by hand, and never more than a real tokenizer counts: real ones split words, they do not join them.
"""

import re

_TOKEN = re.compile(r"\s*\S+")


def tokens_of(text: str) -> list[str]:
    """The tokens of `text`; joined they are `text` again. White space alone is not a token."""
    found = _TOKEN.findall(text)
    if found:
        found[-1] += text[sum(map(len, found)) :]
    return found


def count(text: str) -> int:
    return len(_TOKEN.findall(text))


def count_prompt(messages: list[dict[str, object]]) -> int:
    """Tokens in the texts and tool arguments of all messages, at least 1. Roles and tool definitions count nothing."""
    return max(1, sum(count(text_of(message)) + _count_calls(message) for message in messages))


def text_of(message: dict[str, object]) -> str:
    """The text of a message: its content, or the text parts of it."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _count_calls(message: dict[str, object]) -> int:
    calls = message.get("tool_calls")
    functions = [call.get("function", {}) for call in calls] if isinstance(calls, list) else []
    return sum(count(str(function.get("arguments", ""))) for function in functions)
