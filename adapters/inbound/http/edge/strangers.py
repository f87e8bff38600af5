"""Requests without a known key run after customers' requests; their addresses share what time is left."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from starlette.types import Scope

from adapters.inbound.http.edge.addresses import Addresses, share_of
from adapters.inbound.http.edge.connections import connection_of
from domain.errors import DomainError

GAP_S = 0.002
"""Between two such requests while a customer's generation is under way: that takes some twenty turns of the event loop,
and each stranger's request about 0.5 ms of one. Otherwise one turn of the loop is enough."""

MAX_WAITING = 4_096
"""Beyond it strangers get 503: eight addresses with all the connections that one may have."""

HAS_WAITED = "gatewayz.has_waited"


class Strangers:
    """One per process. is_busy: whether a customer is being served."""

    def __init__(self, addresses: Addresses, is_busy: Callable[[], bool] = lambda: False) -> None:
        self._addresses = addresses
        self.is_busy = is_busy
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._waiting = 0
        self._next: asyncio.Handle | None = None

    def address_of(self, scope: Scope) -> str:
        """The address, as share_of has it, that this request counts for."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if not self._addresses.is_trusted(peer):
            return share_of(peer)
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return share_of(self._addresses.client_behind(peer, forwarded))

    async def turn(self, scope: Scope) -> None:
        """Returns when this request may go on; at once if it has waited before. Raises: DomainError overloaded."""
        if HAS_WAITED in scope:
            return
        scope[HAS_WAITED] = True
        connection = connection_of(scope)
        if connection is not None and connection.is_crowded and scope["path"] != "/health":
            raise DomainError("overloaded")
        if self._next is None:
            self._next = self._after_a_gap()
            return
        if self._waiting >= MAX_WAITING:
            raise DomainError("overloaded")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(self.address_of(scope), deque()).append(turn)
        self._waiting += 1
        await turn

    def _after_a_gap(self) -> asyncio.Handle:
        loop = asyncio.get_running_loop()
        return loop.call_later(GAP_S, self._let_one_go) if self.is_busy() else loop.call_soon(self._let_one_go)

    def _let_one_go(self) -> None:
        """Let the next address's first request go on; one that has left is skipped."""
        while self._queues:
            address, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            self._waiting -= 1
            if queue:
                self._queues[address] = queue
            if not turn.done():
                turn.set_result(None)
                self._next = self._after_a_gap()
                return
        self._next = None
