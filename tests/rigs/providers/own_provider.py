"""The tests' own provider: the ledger is held against what it says it served. Shares no code with the product.

Runs in a process of its own (`python -m tests.rigs.providers.own_provider PORT SEED`), so no fault aimed at the
gateway reaches it.
Each answer's usage is drawn from the seed and the request's marker (its last user message), and so is the time that it
takes, unless the marker says it ("takes 1.5 s"); a stream whose marker has "falls silent" does so after a word. It
tells what it remembers:

GET /_served   {marker: [[prompt, completion], ...]}: one pair per answer whose last byte was handed to the network.
GET /_inside   how many requests it is answering now.
GET /_spans    [[entered_s, left_s or null], ...] on the machine's monotonic clock, also of answers that broke off.
"""

import asyncio
import json
import random
import re
import sys
import time
from collections import defaultdict
from contextlib import closing, suppress
from typing import Any

from tests.rigs.providers.http1 import requests

SERVED: defaultdict[str, list[list[int]]] = defaultdict(list)
SPANS: list[list[float | None]] = []
WORD = "word "
SILENT_S = 3_600.0
TAKES = re.compile(r"takes ([0-9.]+) s")


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seed: int) -> None:
    with suppress(ConnectionError), closing(writer):
        async for head, body in requests(reader):
            if head.startswith(b"GET /_"):
                await send_json(writer, remembered(head.split()[1].decode()))
            else:
                await answer(writer, json.loads(body), seed)


def remembered(path: str) -> object:
    if path == "/_inside":
        return sum(left is None for _, left in SPANS)
    return {"/_served": SERVED, "/_spans": SPANS}[path]


async def answer(writer: asyncio.StreamWriter, request: dict[str, Any], seed: int) -> None:
    marker = marker_of(request)
    span: list[float | None] = [time.monotonic(), None]
    SPANS.append(span)
    try:
        usage = await produce(writer, request, random.Random(f"{seed} {marker}"))
        SERVED[marker].append(usage)
    finally:
        span[1] = time.monotonic()


def marker_of(request: dict[str, Any]) -> str:
    """Of the last message; one without a text counts as an empty one: a gateway passes on what it does not read."""
    content = request["messages"][-1].get("content")
    return content if isinstance(content, str) else ""


async def produce(writer: asyncio.StreamWriter, request: dict[str, Any], dice: random.Random) -> list[int]:
    messages = request["messages"]
    # within what a client may be charged for: no more prompt tokens than bytes, no more output than granted
    prompt = dice.randint(1, len(json.dumps(messages)) // 2)
    completion = dice.randint(1, request["max_tokens"])
    told = TAKES.search(marker_of(request))
    takes_s = dice.random() * 0.05
    await asyncio.sleep(float(told[1]) if told else takes_s)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    frame = {"id": f"chatcmpl-{dice.getrandbits(60):x}", "created": 1, "model": request["model"]}
    if request.get("stream"):
        await send_stream(writer, frame, usage, dice, is_silent="falls silent" in marker_of(request))
    else:
        message = {"role": "assistant", "content": WORD * 3}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        await send_json(writer, {**frame, "object": "chat.completion", "choices": choices, "usage": usage})
    return [prompt, completion]


async def send_json(writer: asyncio.StreamWriter, body: object) -> None:
    data = json.dumps(body).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
    await writer.drain()


async def send_stream(
    writer: asyncio.StreamWriter,
    frame: dict[str, Any],
    usage: dict[str, int],
    dice: random.Random,
    *,
    is_silent: bool,
) -> None:
    frame = {**frame, "object": "chat.completion.chunk"}
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    deltas: list[dict[str, Any]] = [
        {**frame, "choices": [{"index": 0, "delta": {"content": WORD}, "finish_reason": None}]}
        for _ in range(dice.randint(1, 8))
    ]
    deltas.append({**frame, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    deltas.append({**frame, "choices": [], "usage": usage})
    for delta in deltas:
        line = b"data: " + json.dumps(delta).encode() + b"\n\n"
        writer.write(b"%x\r\n%s\r\n" % (len(line), line))
        await writer.drain()
        await asyncio.sleep(SILENT_S if is_silent else dice.random() * 0.01)
    writer.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")
    await writer.drain()


async def main(port: int, seed: int) -> None:
    server = await asyncio.start_server(lambda r, w: converse(r, w, seed), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
