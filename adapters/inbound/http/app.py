"""The ASGI application: hot routes by exact path, FastAPI for everything else, one boundary around both."""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.inference import chat_route
from adapters.inbound.http.routes.api import create_api
from adapters.inbound.http.server.boundary import Boundary, envelope_of, new_request_id
from adapters.inbound.http.server.cors import Cors
from adapters.inbound.http.server.drain import Drain
from adapters.inbound.http.server.gather_answer import Gather
from adapters.inbound.http.server.reply import Reply

HotRoute = Callable[[Scope, Receive, Reply], Awaitable[None]]

ALIAS = "/api"
"""/v1 is served under /api/v1 too: OpenRouter's base URL ends so (docs/reference/rules.md#requests)."""


class GatewayApp:
    """Serves one process. It has no lifespan of its own: its caller starts and stops what the Gateway holds."""

    def __init__(
        self, hot: dict[tuple[str, str], HotRoute], api: ASGIApp, boundary: Boundary, drain: Drain, cors: Cors
    ) -> None:
        self._hot = {(method, prefix + path): run for (method, path), run in hot.items() for prefix in ("", ALIAS)}
        self._api = api
        self._boundary = boundary
        self._drain = drain
        self._cors = cors

    def begin_drain(self) -> None:
        """From now on new generations get 503 shutting_down and /ready fails; generations under way end as usual."""
        self._drain.has_begun = True

    @property
    def generations_under_way(self) -> int:
        return self._drain.under_way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hot = self._hot.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if hot is None:
            await self._api(_as_get(_without_alias(scope)), receive, send)
            return
        sending = send if scope["http_version"] != "1.0" else Gather(send, envelope_of(scope))
        reply = Reply(sending, new_request_id(), envelope_of(scope), self._cors.headers_for(scope))
        await self._boundary.guard(scope, reply, self._generate(hot, scope, receive, reply))

    async def _generate(self, hot: HotRoute, scope: Scope, receive: Receive, reply: Reply) -> None:
        with self._drain:
            await hot(scope, receive, reply)


def create_app(gateway: Gateway) -> GatewayApp:
    drain = Drain()
    gateway.strangers.is_busy = lambda: drain.under_way > 0
    cors = Cors(gateway.limits.cors_origins)
    boundary = Boundary(gateway.telemetry, gateway.is_out_of_reach, cors)
    hot: dict[tuple[str, str], HotRoute] = {(chat_route.METHOD, chat_route.PATH): chat_route.ChatRoute(gateway)}
    return GatewayApp(hot, create_api(gateway, boundary, drain), boundary, drain, cors)


def _as_get(scope: Scope) -> Scope:
    """HEAD is GET without its body (RFC 9110, 9.3.2); uvicorn leaves the body out, by its own scope."""
    return {**scope, "method": "GET"} if scope.get("method") == "HEAD" else scope


def _without_alias(scope: Scope) -> Scope:
    path: str = scope.get("path", "")
    if not path.startswith(ALIAS + "/v1/"):
        return scope
    return {**scope, "path": path.removeprefix(ALIAS)}
