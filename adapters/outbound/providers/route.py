"""What all calls of one provider share, built once: a call only adds its body."""

from collections.abc import Mapping

import msgspec

from adapters.outbound.providers.dialects import openai
from adapters.outbound.providers.dialects.dialect import Dialect
from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.http1.origin import Origin

DIALECTS: Mapping[str, Dialect] = {"openai": openai}


class Route(msgspec.Struct, frozen=True):
    """head: of a request, up to the value of content-length."""

    endpoint: Endpoint
    dialect: Dialect
    origin: Origin
    head: bytes

    def head_for(self, body: bytes) -> bytes:
        return self.head + b"%d\r\n\r\n" % len(body)


def route_to(endpoint: Endpoint) -> Route:
    dialect = DIALECTS[endpoint.dialect]
    origin = Origin(endpoint.base_url + dialect.CHAT_PATH)
    headers = {
        "host": origin.authority,
        **dialect.headers(endpoint.api_key),
        "accept-encoding": "identity",
        "user-agent": "gatewayz",
    }
    lines = [f"POST {origin.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "".join(f"{line}\r\n" for line in lines) + "content-length: "
    return Route(endpoint=endpoint, dialect=dialect, origin=origin, head=head.encode("ascii"))
