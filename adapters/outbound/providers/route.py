"""What all calls of one provider share, built once: a call only adds its body."""

from collections.abc import Mapping

import httpx
import msgspec

from adapters.outbound.providers.dialects import openai
from adapters.outbound.providers.dialects.dialect import Dialect
from adapters.outbound.providers.endpoint import Endpoint

DIALECTS: Mapping[str, Dialect] = {"openai": openai}


class Route(msgspec.Struct, frozen=True):
    endpoint: Endpoint
    dialect: Dialect
    url: httpx.URL
    headers: httpx.Headers
    extensions: dict[str, dict[str, float | None]]


def route_to(endpoint: Endpoint) -> Route:
    dialect = DIALECTS[endpoint.dialect]
    fixed = {"accept-encoding": "identity", "user-agent": "gatewayz"}
    connect_s = endpoint.connect_timeout_s
    return Route(
        endpoint=endpoint,
        dialect=dialect,
        url=httpx.URL(endpoint.base_url + dialect.CHAT_PATH),
        headers=httpx.Headers({**dialect.headers(endpoint.api_key), **fixed}),
        extensions={"timeout": {"connect": connect_s, "pool": connect_s, "read": None, "write": None}},
    )
