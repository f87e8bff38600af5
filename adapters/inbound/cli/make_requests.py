"""The requests of the demo, sent to the running API as by any client."""

import json
from collections.abc import Iterator

import httpx

from adapters.inbound.cli.actions import DemoAccess
from adapters.operator_error import OperatorError

REQUESTS = 20
TIMEOUT_S = 30.0


def make_requests(access: DemoAccess) -> None:
    """Send the requests, every second one streamed, and print the cost of each. Raises: OperatorError for an error."""
    headers = {"Authorization": f"Bearer {access.api_key}"}
    try:
        with httpx.Client(base_url=access.url, headers=headers, timeout=TIMEOUT_S, trust_env=False) as client:
            for number in range(1, REQUESTS + 1):
                ask = _stream if number % 2 == 0 else _whole
                _show(number, ask(client, access.model, number))
    except httpx.TransportError as error:
        raise OperatorError(
            f"{access.url} broke off: {type(error).__name__}; see the log of `gatewayz serve`"
        ) from error


def _body(model: str, number: int) -> dict[str, object]:
    words = f"Request {number} of {REQUESTS}: every cent can be proven."
    return {"model": model, "messages": [{"role": "user", "content": words}], "stream": number % 2 == 0}


def _whole(client: httpx.Client, model: str, number: int) -> str:
    answer = client.post("/v1/chat/completions", json=_body(model, number))
    _require_ok(answer)
    return _cost(answer.text)


def _stream(client: httpx.Client, model: str, number: int) -> str:
    with client.stream("POST", "/v1/chat/completions", json=_body(model, number)) as answer:
        if answer.status_code != httpx.codes.OK:
            answer.read()
        _require_ok(answer)
        return _cost(list(_events(answer))[-1])


def _events(answer: httpx.Response) -> Iterator[str]:
    """Data of the events before [DONE]; the last carries the usage."""
    for line in answer.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield line.removeprefix("data: ")


def _cost(document: str) -> str:
    """The cost as text: a float could not hold every nUSD."""
    usage = json.loads(document, parse_float=str, parse_int=str).get("usage")
    if usage is None:
        raise OperatorError(f"an answer without usage came: {document[:200]}")
    return str(usage["cost"])


def _require_ok(answer: httpx.Response) -> None:
    if answer.status_code != httpx.codes.OK:
        raise OperatorError(f"the API answered {answer.status_code}: {answer.text[:300]}")


def _show(number: int, cost_usd: str) -> None:
    print(f"{number:2}/{REQUESTS} {'streamed' if number % 2 == 0 else 'whole   '} ${cost_usd}", flush=True)
