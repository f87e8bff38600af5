"""The sandbox as an ASGI application."""

from itertools import count
from time import time

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.embedded.sandbox.answering import JSON, Answering, refuse
from adapters.embedded.sandbox.behaviours import BEHAVIOURS, Behaviour, RefusalOfModel
from adapters.embedded.sandbox.caller import CallerLeft, SandboxCaller
from adapters.embedded.sandbox.directions import Directions
from adapters.embedded.sandbox.produce import Refused, produce
from adapters.embedded.sandbox.served import Served
from adapters.embedded.sandbox.write_answer import AnswerHead


def create_app() -> ASGIApp:
    """POST /v1/chat/completions and GET /_served; anything else is 404. Counts start at zero."""
    served = Served()
    numbers = count(1)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        caller = SandboxCaller(receive, send)
        match scope["type"], scope.get("method"), scope.get("path"):
            case "http", "POST", "/v1/chat/completions":
                await _chat(caller, served, next(numbers))
            case "http", "GET", "/_served":
                await caller.answer(200, JSON, served.as_json())
            case "http", _, _:
                await refuse(caller, RefusalOfModel(status=404, message="Unknown path."))

    return app


async def _chat(caller: SandboxCaller, served: Served, number: int) -> None:
    try:
        body = _object(await caller.body())
        model, behaviour = _behaviour(body)
        directions = _directions(body)
        produced = produce(body, directions)
    except Refused as refused:
        return await refuse(caller, RefusalOfModel(status=refused.status, message=refused.message, param=refused.param))
    counted = served.of(model)
    counted.requests += 1
    answer = Answering(
        caller, AnswerHead(f"chatcmpl-sandbox{number:08d}", int(time()), model), behaviour, produced, counted
    )
    try:
        await caller.pause(behaviour.delay_s if directions.delay_s is None else directions.delay_s)
        await answer.send(body, directions)
    except CallerLeft:
        counted.disconnected += 1


def _object(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, ValueError) as error:
        raise Refused(None, f"The body is not a JSON object: {error}") from error


def _behaviour(body: dict[str, object]) -> tuple[str, Behaviour]:
    model = body.get("model")
    if not isinstance(model, str) or model not in BEHAVIOURS:
        raise Refused("model", f"The model {model!r} does not exist.", status=404)
    return model, BEHAVIOURS[model]


def _directions(body: dict[str, object]) -> Directions:
    try:
        return msgspec.convert(body.get("sandbox", {}), Directions)
    except msgspec.ValidationError as error:
        raise Refused("sandbox", str(error)) from error
