"""The shared socket: bound once, or refused in one line."""

import socket

import pytest

from adapters.operator_error import OperatorError
from adapters.supervisor.listen import listening_socket, url_of


def test_it_takes_connections_at_once() -> None:
    with listening_socket("127.0.0.1", 0) as sock, socket.create_connection(sock.getsockname(), timeout=1):
        assert url_of(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError, match=f"port {port} on 127.0.0.1 is in use.*GATEWAYZ_PORT"):
            listening_socket("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(OperatorError, match=f"{host}.*no address of this machine"):
        listening_socket(host, 0)


def test_every_interface_is_reached_by_loopback() -> None:
    with listening_socket("0.0.0.0", 0) as sock:
        assert url_of(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"


def test_ipv6_is_bracketed() -> None:
    with listening_socket("::1", 0) as sock:
        assert url_of(sock) == f"http://[::1]:{sock.getsockname()[1]}"
