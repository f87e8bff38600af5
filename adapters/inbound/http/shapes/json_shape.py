"""JSON in and out of FastAPI's routes: a msgspec struct is shape, decoding rule and OpenAPI schema at once.

Money inside OpenAI- and OpenRouter-shaped answers is a JSON number with all its digits, so it never passes a float.
"""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from typing import Annotated, Literal

import msgspec
from fastapi import Response

from application.sealed import schema_of_sealed
from domain.errors import DomainError
from domain.log import format_position
from domain.money import MAX_NUSD, NUSD_PER_USD, format_usd

Shape = type[msgspec.Struct]

Usd = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": "number"})]
"""USD as a JSON number, at most nine decimals."""

OptionalUsd = Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"type": ["number", "null"]})]

NO_USD = msgspec.Raw(b"null")

_EXACT = Context(prec=40, traps=[InvalidOperation, Overflow, Inexact])
"""Any amount in range has at most 19 digits before and 9 behind the point. What has more is refused, never rounded, and
an exponent that no number can have is refused as well."""

_ENCODER = msgspec.json.Encoder()


def usd(amount_nusd: int) -> msgspec.Raw:
    return msgspec.Raw(format_usd(amount_nusd).encode())


def optional_usd(amount_nusd: int | None) -> msgspec.Raw:
    return NO_USD if amount_nusd is None else usd(amount_nusd)


def read_usd(number: msgspec.Raw, param: str) -> int | None:
    """nUSD of a JSON number as it was written, None for null.

    Raises: DomainError invalid_amount if it is not a number, negative, or finer than a nUSD.
    """
    text = bytes(number).decode()
    if text == "null":
        return None
    try:
        amount = _EXACT.multiply(_EXACT.create_decimal(text), NUSD_PER_USD)
    except DecimalException:
        amount = Decimal(-1)
    if not 0 <= amount <= MAX_NUSD or amount != int(amount):
        raise DomainError("invalid_amount", param=param, expected="a number of USD with at most nine decimals")
    return int(amount)


def encode(shape: msgspec.Struct) -> bytes:
    return _ENCODER.encode(shape)


def answer(shape: msgspec.Struct, *, status: int = 200, position: int = 0) -> Response:
    """`position` is that of a write, 0 if nothing was written."""
    headers = {"x-gatewayz-position": format_position(position)} if position else {}
    return Response(_ENCODER.encode(shape), status, headers, "application/json")


def accepts(shape: Shape, *, required: bool = True) -> dict[str, object]:
    """`openapi_extra` of a route with `shape` as its body."""
    return {"requestBody": {"required": required, "content": _json(shape)}}


def answers(
    shape: Shape,
    description: str,
    status: int | Literal["default"] = 200,
    *,
    also: Mapping[str, object] | None = None,
) -> dict[int | str, dict[str, object]]:
    """`responses` of a route that answers `shape`; `also` has other media types with their content."""
    return {status: {"description": description, "content": {**_json(shape), **(also or {})}}}


def schemas(shapes: Sequence[Shape]) -> dict[str, object]:
    """OpenAPI's `components.schemas` for `shapes` and the shapes inside them."""
    _, components = msgspec.json.schema_components(
        shapes, schema_hook=schema_of_sealed, ref_template="#/components/schemas/{name}"
    )
    return components


def _json(shape: Shape) -> dict[str, object]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}
