"""The OpenAPI document covers the surface, its references lead somewhere, and answers have the shapes it promises."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from adapters.inbound.http.routes.credit import CreditsAnswer
from adapters.inbound.http.routes.models import Model, ModelList

EXPECTED = {
    "/v1/chat/completions": {"post"},
    "/v1/models": {"get"},
    "/v1/models/{model}": {"get"},
    "/v1/generation": {"get"},
    "/v1/credits": {"get"},
    "/v1/key": {"get"},
    "/v1/keys": {"get", "post"},
    "/v1/keys/{hash}": {"get", "patch", "delete"},
    "/v1/keys/{hash}/rotate": {"post"},
    "/admin/accounts": {"get", "post"},
    "/admin/accounts/{account_id}": {"get"},
    "/admin/accounts/{account_id}/statement": {"get"},
    "/admin/accounts/{account_id}/grants": {"post"},
    "/admin/accounts/{account_id}/state": {"post"},
    "/admin/accounts/{account_id}/keys": {"post"},
    "/admin/accounts/{account_id}/keys/{key_id}": {"get", "patch", "delete"},
    "/admin/accounts/{account_id}/keys/{key_id}/rotate": {"post"},
    "/health": {"get"},
    "/ready": {"get"},
    "/metrics": {"get"},
}


@pytest.fixture
def document(stranger: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = stranger.get("/openapi.json").json()
    return found


def test_every_route_is_documented(document: dict[str, Any]) -> None:
    assert {path: set(operations) for path, operations in document["paths"].items()} == EXPECTED


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    named = list(references(document))
    assert len(named) > len(EXPECTED), "at least one of each route"
    for reference in named:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_component_names_are_what_the_standard_allows(document: dict[str, Any]) -> None:
    for kind in document["components"].values():
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in kind)


def test_refusals_have_the_envelope_and_are_never_422(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            assert "422" not in operation["responses"]
            assert "default" in operation["responses"]


def test_all_but_public_routes_name_their_key(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for operation in operations.values():
            named = [next(iter(scheme)) for scheme in operation.get("security", [])]
            is_public = path.startswith("/v1/models") or path in ("/health", "/ready", "/metrics")
            assert named == ([] if is_public else ["admin_key" if path.startswith("/admin") else "api_key"]), path


def test_money_is_a_number_where_openrouter_has_one_and_a_string_where_we_name_it_usd(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["CreditTotals"]["properties"]["total_credits"]["type"] == "number"
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            if field.endswith("_usd"):
                assert "number" not in str(described), f"{name}.{field}"


def test_answers_have_the_shapes_they_are_documented_with(http: httpx.Client) -> None:
    for path, shape in (("/v1/models", ModelList), ("/v1/models/acme/m", Model), ("/v1/credits", CreditsAnswer)):
        msgspec.json.decode(http.get(path).content, type=shape)


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
