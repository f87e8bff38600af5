"""How much was produced, for estimates: UTF-8 bytes of text, reasoning, refusals and tool calls."""

from typing import Any

_TEXTS = ("content", "refusal")
_REASONING = ("reasoning", "reasoning_content")
_DETAILS = "reasoning_details"
"""Three names for one text: some providers send several of them, so the longest counts."""


def output_bytes_of(choices: list[dict[str, Any]], part: str) -> int:
    """Bytes in all choices; `part` is "message" or, in a stream, "delta"."""
    return sum([_of_message(choice.get(part)) for choice in choices])


def _of_message(message: Any) -> int:
    texts = reasoning = 0
    for name, value in message.items() if isinstance(message, dict) else ():
        if name in _TEXTS:
            texts += bytes_of_text(value)
        elif name in _REASONING:
            reasoning = max(reasoning, bytes_of_text(value))
        elif name == _DETAILS and isinstance(value, list):
            reasoning = max(reasoning, _bytes_of_details(value))
        elif name == "tool_calls" and isinstance(value, list):
            texts += sum(_of_call(call) for call in value)
    return texts + reasoning


def _bytes_of_details(details: list[Any]) -> int:
    """Texts and summaries; `data` is encrypted, so its length says nothing of a text."""
    return sum(
        bytes_of_text(detail.get(name))
        for detail in details
        if isinstance(detail, dict)
        for name in ("text", "summary")
    )


def _of_call(call: Any) -> int:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return 0
    return bytes_of_text(function.get("name")) + bytes_of_text(function.get("arguments"))


def bytes_of_text(text: Any) -> int:
    """A text, or content parts such as [{"type": "text", "text": "..."}]."""
    if isinstance(text, str):
        return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if isinstance(text, list):
        return sum(bytes_of_text(part.get("text")) for part in text if isinstance(part, dict))
    return 0
