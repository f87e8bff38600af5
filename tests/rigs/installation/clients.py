"""Many clients at once, and what each of them saw."""

import asyncio
import json
from collections.abc import Sequence
from typing import NamedTuple

import httpx


class Seen(NamedTuple):
    """One client's view. `whole`: all of a 200 answer, a stream up to [DONE]; `paid_nusd`: as the answer said."""

    marker: str
    status: int
    whole: bool
    paid_nusd: int | None
    generation_id: str | None
    error_code: str | None


async def ask(client: httpx.AsyncClient, model: str, marker: str, *, stream: bool, max_tokens: int = 100) -> Seen:
    body = {"model": model, "messages": [{"role": "user", "content": marker}], "max_tokens": max_tokens}
    try:
        response = await client.post("/v1/chat/completions", json={**body, "stream": stream})
    except httpx.HTTPError as error:
        return Seen(marker, 0, False, None, None, type(error).__name__)
    if response.status_code != 200:
        return Seen(marker, response.status_code, False, None, None, _code(response))
    generation_id = response.headers["x-generation-id"]
    if not stream:
        usage = json.loads(response.content, parse_float=str, parse_int=str)["usage"]
        return Seen(marker, 200, True, nusd(usage["cost"]), generation_id, None)
    data = [line[6:] for line in response.text.splitlines() if line.startswith("data: ")]
    chunks = [json.loads(line, parse_float=str, parse_int=str) for line in data if line != "[DONE]"]
    cost = next((nusd(chunk["usage"]["cost"]) for chunk in chunks if chunk.get("usage")), None)
    return Seen(marker, 200, data[-1:] == ["[DONE]"], cost, generation_id, None)


def nusd(usd: str) -> int:
    """Exact, without floats: "0.000045" -> 45000."""
    whole, _, decimals = usd.partition(".")
    return int(whole) * 10**9 + int(decimals.ljust(9, "0") or "0")


async def ask_all(
    port: int, key: str, model: str, markers: Sequence[str], *, parallel: int = 500, max_tokens: int = 100
) -> list[Seen]:
    """Every second request is a stream. All at once, up to `parallel` connections."""
    limits = httpx.Limits(max_connections=parallel, max_keepalive_connections=0)
    headers = {"authorization": f"Bearer {key}"}
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, limits=limits, timeout=120, trust_env=False) as client:
        asks = (ask(client, model, m, stream=i % 2 == 1, max_tokens=max_tokens) for i, m in enumerate(markers))
        return await asyncio.gather(*asks)


def _code(response: httpx.Response) -> str | None:
    try:
        return str(response.json()["error"]["code"])
    except (ValueError, KeyError):
        return None
