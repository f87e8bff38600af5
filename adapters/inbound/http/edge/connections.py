"""How many connections a process holds, and which is closed first when there are too many."""

from collections.abc import Callable

from starlette.types import Scope

from adapters.inbound.http.edge.addresses import Addresses, share_of

KEPT = 64
"""Connections that strangers cannot use up: they are for `/health` and for requests with a key."""

KNOWN_BY = "gatewayz.connection"
"""Name in the `extensions` of an ASGI scope."""


def connection_of(scope: Scope) -> "Connection | None":
    """None under another server."""
    connection: Connection | None = scope.get("extensions", {}).get(KNOWN_BY)
    return connection


def note_known(scope: Scope) -> None:
    """A key was accepted on this request's connection."""
    connection = connection_of(scope)
    if connection is not None:
        connection.authenticated()


class Connection:
    """address: as share_of has it. is_known: a key was accepted on it, or its peer is a proxy in front.
    on_lost: called when it is lost. Whoever answers a request on it may set it, unless `is_lost`, and takes it away.
    """

    __slots__ = ("_connections", "address", "close", "is_known", "is_lost", "on_lost", "peer")

    def __init__(self, connections: "Connections", peer: str, close: Callable[[], None], *, is_known: bool) -> None:
        self._connections = connections
        self.peer = peer
        self.address = share_of(peer)
        self.close = close
        self.is_known = is_known
        self.is_lost = False
        self.on_lost: Callable[[], None] | None = None

    @property
    def is_crowded(self) -> bool:
        """This is a stranger's connection, and only the KEPT ones are left."""
        return not self.is_known and self._connections.is_crowded

    def lost(self) -> None:
        self.is_lost = True
        self._connections.end(self)
        if self.on_lost is not None:
            self.on_lost()

    def authenticated(self) -> None:
        """From now on it is not closed to make room."""
        if not self.is_known:
            self.is_known = True
            self._connections.forget_stranger(self)


class Connections:
    """limit: in all. per_address: of strangers; connections with a key are not counted, so none of them is refused for
    its address. At either bound the oldest connection without a key is closed."""

    def __init__(self, limit: int, per_address: int, addresses: Addresses) -> None:
        self.addresses = addresses
        self._limit = limit
        self._per_address = per_address
        self._all: set[Connection] = set()
        self._strangers: dict[Connection, None] = {}  # oldest first
        self._by_address: dict[str, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def is_crowded(self) -> bool:
        """Only the KEPT connections are left."""
        return len(self._all) > self._limit - KEPT

    def open(self, peer: str, close: Callable[[], None]) -> Connection:
        """close: ends this connection at once. At a bound one connection is closed, possibly this one."""
        connection = Connection(self, peer, close, is_known=self.addresses.is_trusted(peer))
        self._all.add(connection)
        if not connection.is_known:
            self._strangers[connection] = None
            of_address = self._by_address.setdefault(connection.address, {})
            of_address[connection] = None
            if len(of_address) > self._per_address:
                self._close(next(iter(of_address)))
        if len(self._all) > self._limit:
            self._close(next(iter(self._strangers), connection))
        return connection

    def end(self, connection: Connection) -> None:
        self._all.discard(connection)
        self.forget_stranger(connection)

    def forget_stranger(self, connection: Connection) -> None:
        self._strangers.pop(connection, None)
        of_address = self._by_address.get(connection.address)
        if of_address is not None:
            of_address.pop(connection, None)
            if not of_address:
                del self._by_address[connection.address]

    def _close(self, connection: Connection) -> None:
        self.end(connection)
        connection.close()
