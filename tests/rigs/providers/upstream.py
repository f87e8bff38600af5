"""The provider that benchmarks call: answers at once from prepared bytes and counts what it served."""

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from functools import partial

import uvloop

USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
CHUNKS = 100
TEXTS = ("The", " ledger", " is", "\n\n", "append", "-only", ":", ' "', "café", " naïve", ".\n", " 📒", "a\\b")
"""What models say is not all letters: some texts are escaped in JSON, some are more bytes than characters."""


def whole() -> bytes:
    answer = {
        "id": "chatcmpl-upstream",
        "object": "chat.completion",
        "created": 1_763_800_000,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 50}, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    body = json.dumps(answer).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    return head + body


def stream() -> list[bytes]:
    """HTTP chunks, one per SSE event, as a provider sends them; the last one ends the body."""
    base = {"id": "chatcmpl-upstream", "object": "chat.completion.chunk", "created": 1_763_800_000, "model": "m"}
    events = [
        {**base, "choices": [{"index": 0, "delta": {"content": TEXTS[n % len(TEXTS)]}, "finish_reason": None}]}
        for n in range(CHUNKS)
    ]
    events.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append({**base, "choices": [], "usage": USAGE})
    lines = [b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n" for event in events]
    lines.append(b"data: [DONE]\n\n")
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%s\r\n" % (len(line), line) for line in lines), b"0\r\n\r\n"]


WHOLE, STREAM = whole(), stream()


class Upstream(asyncio.Protocol):
    served = 0

    def __init__(self, per_write: int) -> None:
        self.per_write = per_write
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            body = bytes(self.buffer[end + 4 : end + 4 + length])
            del self.buffer[: end + 4 + length]
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        """head: in lower case."""
        Upstream.served += 1
        if b'"stream":true' in body.replace(b" ", b""):
            self.send_stream(0)
        else:
            self.transport.write(WHOLE)  # type: ignore[attr-defined]

    def send_stream(self, at: int) -> None:
        """A few events per turn of the loop, so that many streams run side by side as they do in life."""
        self.transport.write(b"".join(STREAM[at : at + self.per_write]))  # type: ignore[attr-defined]
        if at + self.per_write < len(STREAM):
            asyncio.get_running_loop().call_soon(self.send_stream, at + self.per_write)


async def serve(port: int, protocol: Callable[[], asyncio.Protocol]) -> None:
    sock = socket.create_server(("127.0.0.1", port), backlog=1024)
    loop = asyncio.get_running_loop()
    await (await loop.create_server(protocol, sock=sock)).serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), partial(Upstream, int(sys.argv[2]) if len(sys.argv) > 2 else 2)))
