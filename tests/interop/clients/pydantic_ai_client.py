"""pydantic-ai with its OpenRouterModel."""

from typing import Any

from conversation import converse
from openai import AsyncOpenAI
from pydantic_ai import Agent, Tool
from pydantic_ai.direct import model_request_stream_sync, model_request_sync
from pydantic_ai.messages import ModelRequest, ToolCallPart
from pydantic_ai.models.openrouter import OpenRouterModel
from pydantic_ai.providers.openrouter import OpenRouterProvider


def openrouter(url: str, key: str, model: str) -> Any:
    client = AsyncOpenAI(base_url=url, api_key=key, max_retries=0, timeout=30)
    return OpenRouterModel(model, provider=OpenRouterProvider(openai_client=client))


def chat(url: str, key: str, model: str, words: str) -> object:
    answer = model_request_sync(openrouter(url, key, model), [ModelRequest.user_text_prompt(words)])
    return {"text": answer.text, "cost": answer.provider_details["cost"], "id": answer.provider_response_id}


def stream(url: str, key: str, model: str, words: str) -> object:
    asked = [ModelRequest.user_text_prompt(words)]
    with model_request_stream_sync(openrouter(url, key, model), asked) as events:
        for _ in events:
            pass
        answer = events.response
    return {"text": answer.text, "cost": answer.provider_details["cost"]}


def tools(url: str, key: str, model: str, words: str, tool: Any) -> object:
    offered = Tool.from_schema(lambda a, b: a + b, tool["name"], tool["description"], tool["parameters"])
    run = Agent(openrouter(url, key, model), tools=[offered]).run_sync(words)
    parts = [part for message in run.all_messages() for part in message.parts]
    (call,) = [part for part in parts if isinstance(part, ToolCallPart)]
    return {"called": call.tool_name, "arguments": call.args_as_dict(), "text": run.output}


converse({"chat": chat, "stream": stream, "tools": tools})
