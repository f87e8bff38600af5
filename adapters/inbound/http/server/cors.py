"""Pages of other origins may call the customers' surface: a key may be used from a browser too.

No cookie is ever read here, so a page can do no more than its visitor's key. /admin answers no page.
Source: fetch.spec.whatwg.org, CORS protocol (checked 2026-11-27).
"""

import re
from collections.abc import Iterable

from starlette.types import Scope, Send

from adapters.inbound.http.server.reply import Header

TREES = ("/v1/", "/api/v1/")

ANY, NONE = "*", "off"

METHODS = b"GET, HEAD, POST, PATCH, DELETE"

EXPOSED = (
    b"x-request-id, x-generation-id, retry-after, x-should-retry, x-gatewayz-cost, x-gatewayz-position, "
    b"x-gatewayz-max-tokens-clamped, x-gatewayz-dropped-params"
)
"""Headers that a page may read, beside the few that every page may."""

MAX_AGE_S = 86_400
"""How long a browser remembers a preflight; browsers take less (2 h) as they like."""

_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2048}")


class Cors:
    """origins: `*`, `off`, or a comma-separated list such as `https://app.example, http://localhost:3000`."""

    def __init__(self, origins: str = ANY) -> None:
        self._is_open = origins.strip() == ANY
        self._origins = frozenset(part.strip().rstrip("/").encode() for part in origins.split(",")) - {
            b"",
            b"*",
            b"off",
        }

    def headers_for(self, scope: Scope) -> tuple[Header, ...]:
        """Headers of an answer; none if the request is no page's, or the page is not allowed."""
        origin = _value(scope["headers"], b"origin")
        if not origin or not scope["path"].startswith(TREES):
            return ()
        if self._is_open:
            return (b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED)
        allowed: tuple[Header, ...] = ()
        if origin in self._origins:
            allowed = (b"access-control-allow-origin", origin), (b"access-control-expose-headers", EXPOSED)
        return (*allowed, (b"vary", b"origin"))

    async def answer_preflight(self, scope: Scope, send: Send) -> bool:
        """Whether this was one. A page that is not allowed gets an answer without the headers it asks for.

        send:  of a Reply, which adds the `headers_for`.
        """
        is_preflight = scope["method"] == "OPTIONS" and _value(scope["headers"], b"access-control-request-method")
        if not is_preflight or not scope["path"].startswith(TREES):
            return False
        headers: list[Header] = []
        if any(name == b"access-control-allow-origin" for name, _ in self.headers_for(scope)):
            asked = _value(scope["headers"], b"access-control-request-headers")
            headers.append((b"access-control-allow-methods", METHODS))
            headers.append((b"access-control-max-age", b"%d" % MAX_AGE_S))
            if _NAMES.fullmatch(asked):
                headers.append((b"access-control-allow-headers", asked))
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return True


def _value(headers: Iterable[Header], wanted: bytes) -> bytes:
    for name, value in headers:
        if name == wanted:
            return value
    return b""
