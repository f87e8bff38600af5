"""The lean relay: raw ASGI and the gateway's own HTTP/1.1 client. No framework, no JSON, no billing."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from adapters.outbound.providers.http1.origin import Origin
from adapters.outbound.providers.http1.pool import Pool

Message = MutableMapping[str, Any]

ORIGIN = Origin(os.environ["UPSTREAM"])
HEAD = f"POST {ORIGIN.target} HTTP/1.1\r\nhost: {ORIGIN.authority}\r\ncontent-type: application/json\r\n".encode()
POOL = Pool()
TIMEOUT_S = 60.0


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    assert scope["type"] == "http"  # uvicorn takes it for an app without a lifespan
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    head = HEAD + b"content-length: %d\r\n\r\n" % len(body)
    answer = await POOL.send(ORIGIN, head, body, connect_timeout_s=TIMEOUT_S, timeout_s=TIMEOUT_S)
    try:
        await answer.head()
        passed_on = [
            (name, answer.headers[name]) for name in (b"content-type", b"content-length") if name in answer.headers
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": passed_on})
        while part := await answer.part():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        answer.close()
