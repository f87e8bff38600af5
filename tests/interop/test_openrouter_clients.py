"""OpenRouter's clients against a running gateway, changed only in base URL and key: each case with each client."""

import json
import urllib.request
import uuid
from typing import Any, NamedTuple

import pytest

from tests.interop.client_programs import ClientProgram, Refused
from tests.rigs.installation.installation import Installation, eventually

ECHO = "sandbox/echo"
ADD = {
    "name": "add",
    "description": "Add two numbers",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
}


class Customer(NamedTuple):
    """An account of its own for each test, with $1 of credit unless it was asked for none."""

    house: Installation
    account_id: str

    def key(self, **asked: object) -> dict[str, str]:
        """What to connect with: the URL of OpenRouter's surface and a new key."""
        asked = {"label": str(uuid.uuid4()), "environment": "live", **asked}
        issued = admin(self.house, f"/admin/accounts/{self.account_id}/keys", asked)
        return {"url": f"{self.house.credentials['base_url']}/api/v1", "key": issued["api_key"]}


def admin(house: Installation, path: str, body: object) -> Any:
    with urllib.request.urlopen(house.request(path, body, house.credentials["admin_key"])) as answer:
        return json.load(answer)


def customer_of(house: Installation, usd: str) -> Customer:
    name = f"c-{uuid.uuid4()}"
    opened = admin(house, "/admin/accounts", {"username": name, "email": f"{name}@example.com"})
    made = Customer(house, opened["account_id"])
    if usd != "0":
        grant = {"amount_usd": usd, "kind": "purchased", "reason": "for the tests"}
        admin(house, f"/admin/accounts/{made.account_id}/grants", grant)
    return made


@pytest.fixture
def customer(house: Installation) -> Customer:
    return customer_of(house, "1")


def charged(customer: Customer, id_: str, key: str) -> float:
    """What the generation's record says, once the projector has read it in."""

    def read() -> Any:
        try:
            with urllib.request.urlopen(customer.house.request(f"/v1/generation?id={id_}", key=key)) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError:
            return None

    return float(eventually(read)["total_cost"])


def test_an_answer_and_what_it_cost(client: ClientProgram, customer: Customer) -> None:
    connection = customer.key()
    answer = client.do("chat", **connection, model=ECHO, words="one two three")
    assert answer["text"] == "one two three"
    assert answer["cost"] == charged(customer, answer["id"], connection["key"]) > 0


def test_a_stream_and_what_it_cost(client: ClientProgram, customer: Customer) -> None:
    streamed = client.do("stream", **customer.key(), model=ECHO, words="one two three")
    whole = client.do("chat", **customer.key(), model=ECHO, words="one two three")
    assert streamed == {"text": "one two three", "cost": whole["cost"]}


def test_a_tool_is_called_and_its_result_taken(client: ClientProgram, customer: Customer) -> None:
    told = client.do("tools", **customer.key(), model=ECHO, words="add them", tool=ADD)
    assert told["called"] == "add"
    assert set(told["arguments"]) == {"a", "b"}
    assert told["text"] == "add them"


@pytest.mark.parametrize("model", ["sandbox/cut", "sandbox/error-mid-stream"])
def test_a_stream_that_breaks_off_is_an_error_that_says_why(
    client: ClientProgram, customer: Customer, model: str
) -> None:
    """LangChain shows no more than the finish_reason of a chunk that OpenRouter documents so."""
    words = "finish_reason: error" if client.name == "langchain-openrouter" else "the provider broke off"
    with pytest.raises(Refused) as broke:
        client.do("stream", **customer.key(), model=model, words="one two three four")
    assert broke.value.says(502, words), broke.value


REFUSALS = {
    "what the provider refuses": (400, "Unsupported value: 'temperature'.", "sandbox/bad-request"),
    "no such model": (404, "acme/none", "acme/none"),
    "a provider that limits": (429, "The provider is limiting requests", "sandbox/rate-limited"),
    "a provider that fails": (502, "The provider could not answer", "sandbox/error-500"),
}
"""Case -> (status, words of ours, model)."""


@pytest.mark.parametrize("deed", ["chat", "stream"])
@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_why(client: ClientProgram, customer: Customer, case: str, deed: str) -> None:
    status, words, model = REFUSALS[case]
    with pytest.raises(Refused) as refused:
        client.do(deed, **customer.key(), model=model, words="hi")
    assert refused.value.says(status, words), refused.value


@pytest.mark.parametrize("deed", ["chat", "stream"])
def test_whoever_may_not_is_told_why(client: ClientProgram, customer: Customer, house: Installation, deed: str) -> None:
    connections = {
        (401, "unknown here"): {**customer.key(), "key": "gw_live_unknown"},
        (402, "requires more credits"): customer_of(house, "0").key(),
        (403, "daily spending limit"): customer.key(limit_usd="0.000000001", limit_reset="daily"),
    }
    for (status, words), connection in connections.items():
        with pytest.raises(Refused) as refused:
            client.do(deed, **connection, model=ECHO, words="hi")
        assert refused.value.says(status, words), refused.value


def test_credits_key_models_and_a_generation(sdk: ClientProgram, customer: Customer) -> None:
    connection = customer.key(limit_usd="0.5")
    answer = sdk.do("chat", **connection, model=ECHO, words="hi")
    charged(customer, answer["id"], connection["key"])
    generation = sdk.do("generation", **connection, id=answer["id"])
    assert generation == {"id": answer["id"], "cost": answer["cost"], "model": ECHO}
    assert sdk.do("credits", **customer.key(kind="management")) == {"granted": 1, "used": answer["cost"]}
    key = sdk.do("key", **connection)
    assert (key["limit"], key["usage"]) == (0.5, answer["cost"])
    assert ECHO in sdk.do("models", **connection)


def test_a_key_is_made_used_shown_changed_and_deleted(sdk: ClientProgram, customer: Customer) -> None:
    manager = customer.key(kind="management")
    made = sdk.do("make_key", **manager, name="a", limit=5)
    answer = sdk.do("chat", **{**manager, "key": made["key"]}, model=ECHO, words="hi")
    charged(customer, answer["id"], made["key"])
    assert made["hash"] in sdk.do("list_keys", **manager)
    shown = {"hash": made["hash"], "name": "a", "limit": 5, "usage": answer["cost"]}
    assert sdk.do("get_key", **manager, hash=made["hash"]) == shown
    assert sdk.do("change_key", **manager, hash=made["hash"], name="b") == {**shown, "name": "b"}
    assert sdk.do("delete_key", **manager, hash=made["hash"]) is True
    with pytest.raises(Refused) as refused:
        sdk.do("get_key", **manager, hash=made["hash"])
    assert refused.value.says(404, "There is no such API key"), refused.value
