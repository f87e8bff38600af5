"""The bare relay that the gateway is measured against: same FastAPI, HTTP client and uvicorn flags, no billing."""

import os

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from httpx_aiohttp import AiohttpTransport

UPSTREAM = os.environ["UPSTREAM"]
app = FastAPI()
client = httpx.AsyncClient(transport=AiohttpTransport(), trust_env=False, timeout=60)


@app.post("/v1/chat/completions")
async def relay(request: Request) -> Response:
    body = await request.json()
    if not body.get("stream"):
        answer = await client.post(UPSTREAM, json=body)
        return Response(answer.content, answer.status_code, media_type="application/json")
    answer = await client.send(client.build_request("POST", UPSTREAM, json=body), stream=True)
    return StreamingResponse(answer.aiter_raw(), answer.status_code, media_type="text/event-stream")
