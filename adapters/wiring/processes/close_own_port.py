"""The last deed of who owns the port: `serve` after its API processes have ended, or an API process by itself."""

import socket

import structlog

from adapters.inbound.http.edge.refusal_bytes import refusal_bytes
from adapters.supervisor.close_port import close_port
from domain.errors import DomainError

log = structlog.get_logger()


def close_own_port(port: socket.socket) -> None:
    answered = close_port(port, lambda: refusal_bytes(DomainError("shutting_down")).whole)
    if answered:
        log.info("answered 503 to requests that no process had accepted", requests=answered)
