"""OpenRouter's official SDK for Python."""

import json
from typing import Any

from conversation import StreamBroke, converse
from openrouter import OpenRouter
from openrouter.utils import RetryConfig

NO_RETRIES = RetryConfig("none", None, False)  # type: ignore[arg-type]


def sdk(url: str, key: str) -> OpenRouter:
    return OpenRouter(api_key=key, server_url=url, retry_config=NO_RETRIES, timeout_ms=30_000)


def question(words: str) -> list[Any]:
    return [{"role": "user", "content": words}]


def chat(url: str, key: str, model: str, words: str) -> object:
    with sdk(url, key) as client:
        answer: Any = client.chat.send(model=model, messages=question(words))
    return {"text": answer.choices[0].message.content, "cost": answer.usage.cost, "id": answer.id}


def stream(url: str, key: str, model: str, words: str) -> object:
    text, cost = "", None
    with sdk(url, key) as client:
        chunks: Any = client.chat.send(model=model, messages=question(words), stream=True)
        for chunk in chunks:
            if chunk.error:
                raise StreamBroke(chunk.error.code, chunk.error.message)
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
            cost = chunk.usage.cost if chunk.usage else cost
    return {"text": text, "cost": cost}


def tools(url: str, key: str, model: str, words: str, tool: Any) -> object:
    offered: Any = [{"type": "function", "function": tool}]
    with sdk(url, key) as client:
        asked: Any = client.chat.send(model=model, messages=question(words), tools=offered)
        message = asked.choices[0].message
        call = message.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": "3"}
        again: Any = client.chat.send(model=model, messages=[*question(words), message, result], tools=offered)
    called = {"called": call.function.name, "arguments": json.loads(call.function.arguments)}
    return {**called, "text": again.choices[0].message.content}


def credits_(url: str, key: str) -> object:
    with sdk(url, key) as client:
        told: Any = client.credits.get_credits().data
    return {"granted": told.total_credits, "used": told.total_usage}


def this_key(url: str, key: str) -> object:
    with sdk(url, key) as client:
        told: Any = client.api_keys.get_current_key_metadata().data
    return {"label": told.label, "limit": told.limit, "usage": told.usage}


def models(url: str, key: str) -> object:
    with sdk(url, key) as client:
        told: Any = client.models.list()
    listed = told.result if hasattr(told, "result") else told
    return [model.id for model in listed.data]


def generation(url: str, key: str, id: str) -> object:
    with sdk(url, key) as client:
        told: Any = client.generations.get_generation(id=id).data
    return {"id": told.id, "cost": told.total_cost, "model": told.model}


def make_key(url: str, key: str, name: str, limit: float) -> object:
    with sdk(url, key) as client:
        made: Any = client.api_keys.create(name=name, limit=limit)
    return {"key": made.key, "hash": made.data.hash}


def list_keys(url: str, key: str) -> object:
    with sdk(url, key) as client:
        told: Any = client.api_keys.list()
    listed = told.result if hasattr(told, "result") else told
    return [one.hash for one in listed.data]


def get_key(url: str, key: str, hash: str) -> object:
    with sdk(url, key) as client:
        return shown(client.api_keys.get(hash=hash).data)


def change_key(url: str, key: str, hash: str, name: str) -> object:
    with sdk(url, key) as client:
        return shown(client.api_keys.update(hash=hash, name=name).data)


def delete_key(url: str, key: str, hash: str) -> object:
    with sdk(url, key) as client:
        told: Any = client.api_keys.delete(hash=hash)
    return told.model_dump(by_alias=True)["deleted"]


def shown(told: Any) -> object:
    return {"hash": told.hash, "name": told.name, "limit": told.limit, "usage": told.usage}


converse(
    {
        "chat": chat,
        "stream": stream,
        "tools": tools,
        "credits": credits_,
        "key": this_key,
        "models": models,
        "generation": generation,
        "make_key": make_key,
        "list_keys": list_keys,
        "get_key": get_key,
        "change_key": change_key,
        "delete_key": delete_key,
    }
)
