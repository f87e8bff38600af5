"""What a key is worth, on every API process at once; and what an admin does about it meanwhile."""

import asyncio
import json
import time
import urllib.request

import httpx

from tests.rigs.running import Gateway

CHAT = {"model": "test/tokens", "messages": [{"role": "user", "content": "x"}], "max_tokens": 5}


def call(running: Gateway, method: str, path: str, body: object = None) -> dict[str, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}{path}",
        json.dumps(body).encode() if body is not None else None,
        {"content-type": "application/json", "authorization": f"Bearer {running.admin_key}"},
        method=method,
    )
    with urllib.request.urlopen(request) as answer:
        return dict(json.loads(answer.read() or b"{}"))


async def ask_for(running: Gateway, key: str, seconds: float) -> list[tuple[float, int]]:
    """(when it was sent, status) of requests on many fresh connections, so that both processes get their share."""
    seen: list[tuple[float, int]] = []
    until = time.monotonic() + seconds

    async def client() -> None:
        while time.monotonic() < until:
            async with httpx.AsyncClient(trust_env=False, timeout=30) as fresh:
                sent = time.monotonic()
                headers = {"authorization": f"Bearer {key}"}
                url = f"http://127.0.0.1:{running.port}/v1/chat/completions"
                seen.append((sent, (await fresh.post(url, json=CHAT, headers=headers)).status_code))

    await asyncio.gather(*(client() for _ in range(4)))
    return seen
