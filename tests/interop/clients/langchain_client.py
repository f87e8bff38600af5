"""langchain-openrouter: LangChain's chat model on OpenRouter's SDK."""

from typing import Any

from conversation import StreamBroke, converse
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openrouter import ChatOpenRouter
from openrouter.utils import RetryConfig


def chat_model(url: str, key: str, model: str) -> Any:
    """Without retries. `max_retries=0` leaves them to the SDK below, which repeats a 5xx for up to an hour."""
    made: Any = ChatOpenRouter(model=model, api_key=key, base_url=url, max_retries=0, timeout=30_000)
    made.client.sdk_configuration.retry_config = RetryConfig("none", None, False)  # type: ignore[arg-type]
    return made


def chat(url: str, key: str, model: str, words: str) -> object:
    answer = chat_model(url, key, model).invoke(words)
    told = answer.response_metadata
    return {"text": answer.content, "cost": told["cost"], "id": told.get("id")}


def stream(url: str, key: str, model: str, words: str) -> object:
    text, cost = "", None
    for chunk in chat_model(url, key, model).stream(words):
        text += chunk.content
        cost = chunk.response_metadata.get("cost", cost)
        if chunk.response_metadata.get("finish_reason") == "error":  # all that LangChain shows of it
            raise StreamBroke(502, "finish_reason: error")
    return {"text": text, "cost": cost}


def tools(url: str, key: str, model: str, words: str, tool: Any) -> object:
    bound = chat_model(url, key, model).bind_tools([{"type": "function", "function": tool}])
    asked = bound.invoke(words)
    call = asked.tool_calls[0]
    again = bound.invoke([HumanMessage(words), asked, ToolMessage("3", tool_call_id=call["id"])])
    return {"called": call["name"], "arguments": call["args"], "text": again.content}


converse({"chat": chat, "stream": stream, "tools": tools})
