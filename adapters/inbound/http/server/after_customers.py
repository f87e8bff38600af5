"""FastAPI's routes run after generations: in a stranger's turn, unless the request has a key that is held in memory."""

from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.inbound.http.edge.connections import note_known
from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.server.cors import Cors
from adapters.inbound.http.server.request_headers import read_headers
from domain.errors import DomainError


class AfterCustomers:
    def __init__(self, app: ASGIApp, gateway: Gateway, cors: Cors) -> None:
        self._app = app
        self._gateway = gateway
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises: DomainError overloaded."""
        if scope["type"] == "http":
            if self._shows_known_key(scope):
                note_known(scope)
            else:
                await self._gateway.strangers.turn(scope)
            if await self._cors.answer_preflight(scope, send):
                return
        await self._app(scope, receive, send)

    def _shows_known_key(self, scope: Scope) -> bool:
        """False for a wrong key too: the route refuses it."""
        try:
            secret = read_headers(scope["headers"]).secret
            return self._gateway.is_admin(secret) or self._gateway.keys.remembered(secret) is not None
        except DomainError:
            return False
