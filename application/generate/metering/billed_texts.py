"""The texts of a request and of an answer that a provider bills as tokens.

Not the envelope: a longer model name, metadata, stream flags cost nothing. Not inlined images and files: they are no
text. A request is read only for an estimate, and never on the event loop: a body may have 32 MB.
"""

from collections.abc import Iterator, Sequence

import msgspec

from application.ports.provider_answer import NEXT_EVENT

_REASONING = ("reasoning", "reasoning_content")
_DETAILS = "reasoning_details"
"""Three names for one text: some providers send several of them, so the longest counts."""

_OF_PARTS = ("text", "refusal", "thinking")
_OF_DETAILS = ("text", "summary")
"""`data` is encrypted, so its length shows nothing about the text."""


def prompt_text(body: bytes) -> str:
    """The text of a chat request's body: messages, tools, response schema. Empty if it cannot be read."""
    decoded = _decoded(body)
    return "\n".join(_of_request(decoded)) if isinstance(decoded, dict) else ""


def answer_text(parts: Sequence[bytes]) -> str:
    """The text of a whole answer, or of the chunks of a stream that were kept."""
    events = (_decoded(event) for part in parts for event in part.split(NEXT_EVENT))
    choices = [choice for event in events if isinstance(event, dict) for choice in _objects(event.get("choices"))]
    return "".join(
        text for choice in choices for name in ("delta", "message") for text in texts_of_message(choice.get(name))
    )


def texts_of_message(message: object) -> list[str]:
    """Texts of a message, or of a stream's delta: content, refusal, the reasoning once, and calls of tools."""
    texts: list[str] = []
    reasoning = ""
    for name, value in message.items() if isinstance(message, dict) else ():
        if not value:
            continue
        if name in ("content", "refusal"):
            texts += _of_content(value)
        elif name in _REASONING:
            reasoning = max(reasoning, "".join(_of_content(value)), key=len)
        elif name == _DETAILS:
            reasoning = max(reasoning, "".join(_named(_objects(value), _OF_DETAILS)), key=len)
        elif name == "tool_calls":
            for call in _objects(value):
                texts += _of_call(call)
        elif name == "function_call":
            texts += _named([value], ("name", "arguments"))
    return [*texts, reasoning] if reasoning else texts


def _of_request(body: dict[str, object]) -> Iterator[str]:
    for message in _objects(body.get("messages")):
        yield from texts_of_message(message)
    for name, inner in (("tools", "function"), ("functions", "")):
        for tool in _objects(body.get(name)):
            yield msgspec.json.encode(tool.get(inner, tool)).decode()
    asked = body.get("response_format")
    if isinstance(asked, dict) and "json_schema" in asked:
        yield msgspec.json.encode(asked["json_schema"]).decode()


def _of_content(content: object) -> list[str]:
    """A text, or the texts of parts such as [{"type": "text", "text": "..."}]."""
    return [content] if isinstance(content, str) else _named(_objects(content), _OF_PARTS)


def _of_call(call: dict[str, object]) -> list[str]:
    """Texts of a call of a function, or of a tool that takes free text."""
    return _named([call.get("function")], ("name", "arguments")) + _named([call.get("custom")], ("name", "input"))


def _named(objects: Sequence[object], names: tuple[str, ...]) -> list[str]:
    return [
        text for one in objects if isinstance(one, dict) for name in names if isinstance(text := one.get(name), str)
    ]


def _objects(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _decoded(json: bytes) -> object:
    try:
        return msgspec.json.decode(json)
    except (msgspec.DecodeError, RecursionError):
        return None
