"""LiteLLM as a client, by its prefix `openrouter/`."""

import json
from typing import Any

import litellm
from conversation import converse

litellm.suppress_debug_info = True


def complete(url: str, key: str, model: str, messages: list[Any], **more: Any) -> Any:
    return litellm.completion(
        f"openrouter/{model}", messages, api_base=url, api_key=key, num_retries=0, max_retries=0, timeout=30, **more
    )


def question(words: str) -> list[Any]:
    return [{"role": "user", "content": words}]


def chat(url: str, key: str, model: str, words: str) -> object:
    answer = complete(url, key, model, question(words))
    assert litellm.completion_cost(answer) == answer.usage.cost
    return {"text": answer.choices[0].message.content, "cost": answer.usage.cost, "id": answer.id}


def stream(url: str, key: str, model: str, words: str) -> object:
    text, cost = "", None
    for chunk in complete(url, key, model, question(words), stream=True, stream_options={"include_usage": True}):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = getattr(chunk, "usage", None)
        cost = usage.cost if usage else cost
    return {"text": text, "cost": cost}


def tools(url: str, key: str, model: str, words: str, tool: Any) -> object:
    offered: Any = [{"type": "function", "function": tool}]
    message = complete(url, key, model, question(words), tools=offered).choices[0].message
    call = message.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "3"}
    again = complete(url, key, model, [*question(words), message, result], tools=offered)
    called = {"called": call.function.name, "arguments": json.loads(call.function.arguments)}
    return {**called, "text": again.choices[0].message.content}


converse({"chat": chat, "stream": stream, "tools": tools})
