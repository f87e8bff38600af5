"""How an exchange over HTTP fails. A deadline is a TimeoutError."""


class HttpFault(Exception):
    """Of one exchange. Its connection is closed."""


class ConnectFailed(HttpFault):
    """No connection: refused, no such name, a certificate that is not valid, no handshake in time. Nothing was sent."""


class ConnectionBroken(HttpFault):
    """The connection ended before the answer did."""


class MalformedResponse(HttpFault):
    """The peer does not speak HTTP/1.1 as RFC 9112 has it, or uses what is not accepted here."""


class ResponseTooLarge(HttpFault):
    """received_bytes: of the body, so far."""

    def __init__(self, received_bytes: int) -> None:
        super().__init__(f"more than is accepted: {received_bytes} bytes so far")
        self.received_bytes = received_bytes
