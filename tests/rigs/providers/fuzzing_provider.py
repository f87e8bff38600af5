"""A provider that answers anything: each case is made of its number and a seed, and is the same whenever it is asked.

Runs in a process of its own (`python -m tests.rigs.providers.fuzzing_provider PORT SEED`); a request's last message is
the case's number. Shares no code with the product. What varies: members and their types, orders, choices, usage, ends,
errors in every place, line ends, comments, marks, event names, sizes, encodings, statuses, headers, framing, splits and
breaks.
"""

import asyncio
import contextlib
import json
import random
import sys
from typing import Any

from tests.rigs.providers.http1 import requests

ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e300, 2**70, "", "x", "\ud83d", "é😀", "\u0000", [], [None], {},
    {"a": {"b": [1]}}, float("nan"),
]  # fmt: skip
"""Values of the wrong type, or at an end of the right one."""

WORDS = ["hello ", "\u2028", "é😀", '"choices":', "data: [DONE]\n\n", "\\", "<html>", "", "a" * 3_000]

STATUSES = [200] * 80 + [201, 204, 301, 400, 401, 402, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 504, 529, 599]

TYPES = ["application/json", "text/event-stream", "text/html", "", "application/json; charset=utf-16", "text/plain"]

HEADERS = [
    "content-encoding: gzip", "content-encoding: identity", "content-encoding: br, gzip", "retry-after: 5",
    "retry-after: -1",
    "retry-after: Fri, 31 Dec 9999 23:59:59 GMT", "retry-after: 1e999", "retry-after: \xff",
    "x-request-id: a\tb",
    "set-cookie: a=b", "location: http://127.0.0.1:1/", "connection: close",
    "x-long: " + "y" * 4_000, "content-type: a/b",
    "transfer-encoding: gzip", "content-length: 5", "trailer: x", "x-empty:",
    "retry-after-ms: 3", "keep-alive: timeout=0",
]  # fmt: skip


class Case:
    def __init__(self, seed: int, number: str) -> None:
        self.dice = random.Random(f"{seed} {number}")

    def chance(self, of_100: int) -> bool:
        return self.dice.randrange(100) < of_100

    def response(self, *, streamed: bool) -> list[bytes | float]:
        """Parts to send, with pauses between; the connection is closed after the last."""
        is_stream = streamed != self.chance(10)
        status = self.dice.choice(STATUSES)
        body = self.error_body() if status != 200 and self.chance(90) else self.stream() if is_stream else self.whole()
        kind = TYPES[1] if is_stream else TYPES[0]
        if self.chance(6):
            kind = self.dice.choice(TYPES)
        if self.chance(6):
            body = self.spoilt(body)
        head = [f"HTTP/1.1 {status} X", f"content-type: {kind}"]
        head += self.dice.sample(HEADERS, self.dice.choice([0, 0, 0, 1, 2]))
        chunked = self.chance(50)
        head.append("transfer-encoding: chunked" if chunked else f"content-length: {len(body) + self.chance(4)}")
        self.dice.shuffle(head[1:])
        parts = self.split(body)
        if chunked:
            parts = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part] + [b"0\r\n\r\n"]
        if self.chance(5):
            parts = parts[: self.dice.randrange(len(parts) + 1)]
        sent: list[bytes | float] = ["\r\n".join(head).encode("latin-1") + b"\r\n\r\n"]
        for part in parts:
            sent += [part, 0.002] if self.chance(3) else [part]
        return sent

    def split(self, body: bytes) -> list[bytes]:
        cuts = sorted(self.dice.randrange(len(body) + 1) for _ in range(self.dice.choice([0, 1, 3, 20])))
        return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    def spoilt(self, body: bytes) -> bytes:
        at = self.dice.randrange(len(body) + 1)
        return self.dice.choice(
            [body[:at], body[:at] + b"\xff" + body[at:], body[:at] + body[at + 1 :], b"", b"\x1f\x8b" + body]
        )

    def odd(self, value: Any, of_100: int = 2) -> Any:
        return self.dice.choice(ODD) if self.chance(of_100) else value

    def usage(self) -> Any:
        counts = {"prompt_tokens": self.dice.randrange(40), "completion_tokens": self.dice.randrange(40)}
        counts["total_tokens"] = sum(counts.values()) + self.dice.choice([0, 0, 0, 7])
        details = {"reasoning_tokens": self.odd(self.dice.randrange(10)), "cached_tokens": self.odd(3)}
        told: dict[str, Any] = {name: self.odd(count) for name, count in counts.items() if self.chance(92)}
        if self.chance(30):
            told["completion_tokens_details"] = self.odd(details)
        if self.chance(30):
            told["prompt_tokens_details"] = self.odd(details)
        return self.odd(self.shuffled(told))

    def shuffled(self, members: dict[str, Any]) -> dict[str, Any]:
        names = list(members)
        if self.chance(30):
            self.dice.shuffle(names)
        return {name: members[name] for name in names if not self.chance(1)}

    def error(self) -> Any:
        members = {
            "message": self.odd(
                self.dice.choice(["no", "prompt is too long", "<!DOCTYPE html>", "k none", "\ud83d", "z" * 90_000]), 10
            ),
            "code": self.odd(self.dice.choice([400, "400", "429", "context_length_exceeded", 502, None]), 10),
            "param": self.odd("messages", 10),
            "type": self.odd("invalid_request_error", 10),
            "metadata": self.odd({"raw": '{"error":{"message":"inner"}}'}, 30),
        }
        return self.odd(self.shuffled(members), 15)

    def error_body(self) -> bytes:
        detail = [{"loc": self.odd(["body", "messages", 0]), "msg": self.odd("Field required")}]
        forms: list[Any] = [
            {"error": self.error()},
            self.error(),
            {"detail": self.odd(detail, 10)},
            [{"error": self.error()}],
        ]
        return self.dice.choice(
            [written(self.dice.choice(forms)), b"<html>no</html>", b"plain words", b"", b"\xff" * 9]
        )

    def message(self) -> Any:
        call = {
            "id": self.odd("c1"),
            "type": "function",
            "function": self.odd({"name": self.odd("f"), "arguments": self.odd("{}")}),
        }
        members = {"role": self.odd("assistant"), "content": self.odd(self.dice.choice(WORDS))}
        for name, value in (
            ("tool_calls", [self.odd(call)]), ("reasoning", "because"), ("refusal", None), ("audio", {"data": "AAAA"}),
            ("reasoning_details", [{"type": "reasoning.text", "text": "t"}]), ("annotations", []),
        ):  # fmt: skip
            if self.chance(10):
                members[name] = self.odd(value)
        return self.odd(self.shuffled(members), 3)

    def reason(self) -> Any:
        return self.odd(self.dice.choice(["stop", "stop", "length", "tool_calls", "", "error", "content_filter"]), 6)

    def framed(self, choices: Any, kind: str, **members: Any) -> dict[str, Any]:
        frame = {"id": "up-1", "object": kind, "created": 1, "model": "native"}
        return self.shuffled(
            {**{name: self.odd(value, 2) for name, value in frame.items()}, "choices": choices, **members}
        )

    def whole(self) -> bytes:
        choices = [
            self.odd(
                self.shuffled({"index": self.odd(n), "message": self.message(), "finish_reason": self.reason()}), 2
            )
            for n in range(self.dice.choice([0, 1, 1, 1, 1, 2, 3]))
        ]
        members: dict[str, Any] = {"usage": self.usage()} if self.chance(85) else {}
        if self.chance(5):
            members["error"] = self.error()
        mark = b"\xef\xbb\xbf" if self.chance(4) else b""
        return mark + written(self.odd(self.framed(self.odd(choices, 2), "chat.completion", **members), 2))

    def stream(self) -> bytes:
        kind = "chat.completion.chunk"
        events: list[Any] = []
        choices = self.dice.choice([1, 1, 1, 2, 3])
        open_choices = list(range(choices))
        for _ in range(self.dice.choice([0, 1, 3, 8, 40])):
            index = self.dice.randrange(choices)
            delta = {"content": self.dice.choice(WORDS)} if self.chance(85) else self.message()
            events.append(self.framed([{"index": self.odd(index, 1), "delta": delta, "finish_reason": None}], kind))
            if self.chance(8):
                events[-1]["usage"] = self.usage()
        self.dice.shuffle(open_choices)
        for index in open_choices:
            if self.chance(90):
                at = self.dice.randrange(len(events) + 1) if self.chance(30) else len(events)
                ended = {"index": index, "delta": {}, "finish_reason": self.reason()}
                if self.chance(3):
                    ended["error"] = self.error()
                events.insert(at, self.framed([self.odd(ended, 2)], kind))
        if self.chance(80):
            events.append(self.framed([], kind, usage=self.usage()))
        if self.chance(6):
            events.insert(self.dice.randrange(len(events) + 1), {"error": self.error()})
        lines = [self.event(written(event)) for event in events]
        if self.chance(85):
            lines.append(b"data: [DONE]\n\n")
        if self.chance(8):
            self.dice.shuffle(lines)
        mark = b"\xef\xbb\xbf" if self.chance(5) else b""
        return mark + b"".join(lines)

    def event(self, data: bytes) -> bytes:
        end = self.dice.choice([b"\n", b"\n", b"\n", b"\r\n"])
        name = b"event: " + self.dice.choice([b"error", b"message", b"ping"]) + end if self.chance(2) else b""
        noise = (
            self.dice.choice([b"", b": ping" + end * 2, end, b"data:" + end * 2, b"retry: 1" + end])
            if self.chance(10)
            else b""
        )
        colon = b"data:" if self.chance(10) else b"data: "
        return noise + name + colon + data + end * 2


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seed: int) -> None:
    with contextlib.suppress(ConnectionError), contextlib.closing(writer):
        async for _, body in requests(reader):
            request = json.loads(body)
            case = Case(seed, request["messages"][-1]["content"])
            for part in case.response(streamed=bool(request.get("stream"))):
                if isinstance(part, float):
                    await asyncio.sleep(part)
                else:
                    writer.write(part)
                    await writer.drain()
            return


async def main(port: int, seed: int) -> None:
    server = await asyncio.start_server(lambda r, w: converse(r, w, seed), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
