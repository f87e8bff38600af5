"""CPU of one process for a request's body: read it, and write the one for the provider. `python -m` prints a table.

Three bodies: a question of 1 KB, a coding agent's request of 40 KB with 24 tools and 40 messages, an image of 2 MB.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any

import msgspec

from adapters.inbound.http.server.request_body import decode_members
from adapters.outbound.providers.dialects.openai import dropped, write_request
from application.generate.request.read_chat_request import read_chat_request
from application.ports.chat_providers import ChatCall
from tests.adapters.providers.call_words import GENERATION_ID, an_endpoint, an_offer

ROUNDS = 9


def bodies() -> Mapping[str, bytes]:
    question = {"model": "acme/m", "messages": [{"role": "user", "content": "why? " * 180}], "max_tokens": 500}
    parameters = {
        "type": "object",
        "properties": {f"p{i}": {"type": "string", "description": "d" * 60} for i in range(5)},
    }
    tools = [
        {"type": "function", "function": {"name": f"tool_{i}", "description": "what " * 20, "parameters": parameters}}
        for i in range(24)
    ]
    turns = [
        {"role": "assistant", "content": None, "tool_calls": [call(i)]}
        if i % 2
        else {"role": "user", "content": "x" * 500}
        for i in range(40)
    ]
    agent = {"model": "acme/m", "messages": turns, "tools": tools, "tool_choice": "auto", "stream": True}
    parts = [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 2_000_000}},
    ]
    image = {"model": "acme/m", "messages": [{"role": "user", "content": parts}], "max_tokens": 500}
    return {"1 KB": encoded(question), "40 KB, 24 tools": encoded(agent), "2 MB image": encoded(image)}


def call(i: int) -> dict[str, Any]:
    return {
        "id": f"call_{i}",
        "type": "function",
        "function": {"name": "tool_1", "arguments": '{"p1":"' + "y" * 400 + '"}'},
    }


def encoded(body: Any) -> bytes:
    return msgspec.json.encode(body)


def read_and_write(body: bytes) -> bytes:
    request = decode_members(body, partial(read_chat_request, app="", idempotency=None))
    dropped([name for name, _ in request.members], ENDPOINT)
    provider_call = ChatCall(
        offer=OFFER, members=request.members, generation_id=GENERATION_ID, max_tokens=500, timeout_s=1
    )
    return write_request(provider_call, ENDPOINT, streaming=request.streamed)


def cpu_us(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median of `rounds` of 0.1 s each."""
    times = []
    for _ in range(rounds):
        done, began = 0, time.process_time()
        while time.process_time() - began < 0.1:
            work()
            done += 1
        times.append((time.process_time() - began) / done * 1e6)
    return median(times)


OFFER, ENDPOINT = an_offer(), an_endpoint()

if __name__ == "__main__":
    for name, body in bodies().items():
        print(f"{name:16} {len(body):>9,} bytes {cpu_us(partial(read_and_write, body)):>9.1f} us")
