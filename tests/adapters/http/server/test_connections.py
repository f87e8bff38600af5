"""How many connections there are, whose goes first, and who a request behind a proxy is from."""

import socket
from collections.abc import Iterator

import pytest

from adapters.inbound.http.edge.addresses import Addresses, read_networks, share_of
from adapters.inbound.http.edge.connections import KEPT, Connections
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import House
from tests.adapters.http.raw import everything, whole_answer
from tests.adapters.http.served import Served


class Door:
    """Connections, and the names of those that were closed, in order."""

    def __init__(self, limit: int = 1_000, per_address: int = 1_000, trusted: str = "") -> None:
        self.closed: list[str] = []
        self.connections = Connections(limit, per_address, Addresses(read_networks(trusted)))

    def open(self, name: str, peer: str = "192.0.2.1"):  # type: ignore[no-untyped-def]
        return self.connections.open(peer, lambda: self.closed.append(name))


def test_at_an_address_bound_its_oldest_stranger_goes() -> None:
    door = Door(per_address=2)
    first = door.open("first")
    first.authenticated()
    for name in ("second", "third", "elsewhere", "fourth"):
        door.open(name, "192.0.2.2" if name == "elsewhere" else "192.0.2.1")
    assert door.closed == ["second"]
    assert len(door.connections) == 4


def test_a_known_key_is_not_counted_for_its_address() -> None:
    door = Door(per_address=2)
    for number in range(50):
        door.open(str(number)).authenticated()
    assert door.closed == []


def test_at_the_bound_of_all_the_oldest_stranger_goes_wherever_it_is_from() -> None:
    door = Door(limit=3)
    door.open("known", "192.0.2.1").authenticated()
    for number in range(4):
        door.open(str(number), f"192.0.2.{number + 2}")
    assert door.closed == ["0", "1"]


def test_where_all_have_shown_a_key_the_new_one_goes() -> None:
    door = Door(limit=2)
    for name in ("one", "two"):
        door.open(name).authenticated()
    door.open("three")
    assert door.closed == ["three"]
    assert len(door.connections) == 2


def test_the_last_places_are_kept() -> None:
    door = Door(limit=KEPT + 2)
    door.open("one")
    door.open("two")
    assert not door.connections.is_crowded
    door.open("three")
    assert door.connections.is_crowded


def test_what_has_ended_is_not_counted_and_leaves_nothing() -> None:
    door = Door(limit=2, per_address=1)
    for number in range(100):
        door.connections.end(door.open(str(number)))
    assert door.closed == []
    assert not door.connections._by_address


def test_a_trusted_proxy_has_no_bound_of_its_own() -> None:
    door = Door(per_address=2, trusted="10.0.0.0/8")
    for number in range(50):
        door.open(str(number), "10.1.2.3")
    assert door.closed == []


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [b"198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", [b"198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", [b"1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", [b"1.2.3.4", b"198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", [b"198.51.100.7:4711"], "198.51.100.7"),
        ("10.0.0.1", [b"[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", [b"2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", [b"198.51.100.7, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_proxy(peer: str, forwarded: list[bytes], client: str) -> None:
    assert Addresses(read_networks("10.0.0.0/8")).client_behind(peer, forwarded) == client


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert share_of("2001:db8::1") == share_of("2001:db8::ffff") != share_of("2001:db8:0:1::1")
    assert share_of("::ffff:192.0.2.1") == "192.0.2.1"


@pytest.fixture
def narrow(served: Served) -> Iterator[Connections]:
    wide, served.edge.connections = served.edge.connections, Connections(1_000, 3, Addresses())
    yield served.edge.connections
    served.edge.connections = wide


def test_strangers_make_room_and_a_customer_stays(house: House, served: Served, narrow: Connections) -> None:
    """Over sockets: a customer's connection outlives any number of silent ones from the same address."""
    with served.connect() as customer:
        ask = f"GET /v1/key HTTP/1.1\r\nhost: a\r\nx-api-key: {house.key}\r\n\r\n".encode()
        customer.sendall(ask)
        assert whole_answer(customer).startswith(b"HTTP/1.1 200")
        silent: list[socket.socket] = []
        for count in range(1, 11):
            silent.append(served.connect())
            eventually(lambda count=count: len(narrow) == 1 + min(count, 3))  # type: ignore[misc]
        customer.sendall(ask)
        assert whole_answer(customer).startswith(b"HTTP/1.1 200")
        assert not everything(silent[0])
    for connection in silent:
        connection.close()
