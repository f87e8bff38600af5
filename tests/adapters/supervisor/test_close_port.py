"""The last copy of the port is closed: who connected in time is answered, who came later finds nobody."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from adapters.supervisor.close_port import SPEAKS_WITHIN_S, accept_no_more, close_port
from adapters.supervisor.listen import listening_socket
from tests.rigs.knocking import REQUEST, connect, everything, knocking

ANSWER = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with listening_socket("127.0.0.1", 0) as sock:
        yield sock


def test_who_waits_in_the_backlog_is_answered(port: socket.socket) -> None:
    clients = [connect(port.getsockname()) for _ in range(300)]
    for client in clients:
        client.sendall(REQUEST)
    assert close_port(port, lambda: ANSWER) == len(clients)
    assert {everything(client) for client in clients} == {ANSWER}
    for client in clients:
        client.close()


def test_who_is_still_sending_a_body_may_end_it_and_read_the_answer(port: socket.socket) -> None:
    """To close with bytes that nobody read would reset the connection."""
    with connect(port.getsockname()) as client:
        closing = threading.Thread(target=close_port, args=(port, lambda: ANSWER))
        closing.start()
        client.sendall(REQUEST.replace(b"content-length: 2", b"content-length: 1000000"))
        for _ in range(10):
            time.sleep(0.02)
            client.sendall(bytes(100_000))
        assert everything(client) == ANSWER
        client.close()
        closing.join(10)


def test_who_says_nothing_delays_it_by_a_second(port: socket.socket) -> None:
    with connect(port.getsockname()) as client:
        began_s = time.monotonic()
        assert close_port(port, lambda: ANSWER) == 0
        assert SPEAKS_WITHIN_S <= time.monotonic() - began_s < 4 * SPEAKS_WITHIN_S
        assert everything(client) == b""


def test_a_port_that_accepts_no_more_keeps_whom_it_has(port: socket.socket) -> None:
    with connect(port.getsockname()) as early:
        accept_no_more(port)
        early.sendall(REQUEST)
        with pytest.raises(ConnectionRefusedError):
            connect(port.getsockname())
        accepted, _ = port.accept()
        with accepted:
            assert accepted.recv(4096) == REQUEST


def test_who_comes_while_others_are_answered_is_refused(port: socket.socket) -> None:
    with connect(port.getsockname()) as early:
        closing = threading.Thread(target=close_port, args=(port, lambda: ANSWER))
        closing.start()
        early.sendall(REQUEST)
        assert early.recv(4096) == ANSWER
        with pytest.raises(ConnectionRefusedError):
            connect(port.getsockname())
        early.close()
        closing.join(10)


def test_who_connects_all_the_time_is_answered_or_refused() -> None:
    """Four clients, at a few ports one after the other."""
    for _ in range(5):
        with listening_socket("127.0.0.1", 0) as port, knocking(port.getsockname(), clients=4) as met:
            time.sleep(0.02)
            close_port(port, lambda: ANSWER)
            assert met().keys() == {ANSWER.partition(b"\r\n")[0].decode(), "refused"}
            assert met()["refused"] == 4
