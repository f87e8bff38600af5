"""What docs/reference/http-api.md says of each route, from the OpenAPI document: all of a row but its last column."""

from collections.abc import Iterator
from typing import Any

MAX_MEMBERS = 8
"""A larger shape is told in words, or is OpenAI's or OpenRouter's."""

KEYS = {"admin_key": "admin key", "api_key": "key"}


def rows_of(document: dict[str, Any]) -> Iterator[str]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            query = "&".join(f"{named['name']}=" for named in operation.get("parameters", ()) if named["in"] == "query")
            route = f"`{method.upper()} {path}{'?' + query if query else ''}`"
            yield f"| {route} | {_key_of(operation)} | {_shapes_of(document, operation)} |"


def _key_of(operation: dict[str, Any]) -> str:
    schemes = [KEYS[next(iter(scheme))] for scheme in operation.get("security", [])]
    return schemes[0] if schemes else "none"


def _shapes_of(document: dict[str, Any], operation: dict[str, Any]) -> str:
    sent = _members(document, operation.get("requestBody", {}))
    answered = _members(document, operation["responses"].get("201") or operation["responses"]["200"]).replace("?", "")
    return " → ".join(part for part in (sent, answered) if part)


def _members(document: dict[str, Any], body: dict[str, Any]) -> str:
    reference = body.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
    schema = document["components"]["schemas"].get(reference.rpartition("/")[2], {})
    names = [name if name in schema.get("required", ()) else f"{name}?" for name in schema.get("properties", {})]
    return f"`{{{', '.join(names)}}}`" if 0 < len(names) <= MAX_MEMBERS else ""
