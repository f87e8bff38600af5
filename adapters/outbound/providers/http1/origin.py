"""Whom to connect to, and how to know that it is the right one."""

import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


class ResumingContext(ssl.SSLContext):
    """Verifies certificates, and resumes the last session: a handshake less of CPU on both sides. Of one origin."""

    session: ssl.SSLSession | None = None

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:
        """Called for each new connection by the event loop."""
        return super().wrap_bio(*args, **{"session": self.session, **named})


def verifying_context() -> ResumingContext:
    """TLS 1.2 or later, the system's roots; certificates and names are checked."""
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Origin:
    """Scheme, host and port of a URL of printable ASCII. tls: None for plain HTTP."""

    def __init__(self, url: str, context: ResumingContext | None = None) -> None:
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.port = parts.port or PORTS[parts.scheme]
        self.tls = (context or verifying_context()) if parts.scheme == "https" else None
        named = f"[{self.host}]" if ":" in self.host else self.host
        self.authority = named if self.port == PORTS[parts.scheme] else f"{named}:{self.port}"
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


async def addresses_of(loop: Any, origin: Origin) -> list[AddressInfo]:
    found: list[AddressInfo] = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    return found
