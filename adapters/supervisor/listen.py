"""The port that API processes share: the supervisor binds it once, so that it survives each of them."""

import errno
import socket

from adapters.operator_error import WRONG_INPUT, OperatorError

BACKLOG = 2_048
"""Connections that may wait while an API process is replaced; the kernel caps it at its somaxconn."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Bound and listening; clients may connect at once and wait to be served. Raises OperatorError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise OperatorError(
            f"GATEWAYZ_HOST={host} is no address of this machine: {error.strerror}", WRONG_INPUT
        ) from error
    except OSError as error:
        raise OperatorError(_reason(error, host, port)) from error


def url_of(sock: socket.socket) -> str:
    """The URL for clients on this machine, such as http://127.0.0.1:8000."""
    host, port = sock.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop the program that has it, or set GATEWAYZ_PORT to another"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: set GATEWAYZ_HOST to one that is"
    return f"cannot listen on {host} port {port}: {error.strerror}; set GATEWAYZ_HOST and GATEWAYZ_PORT"
