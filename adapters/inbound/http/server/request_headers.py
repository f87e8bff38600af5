"""A request's headers, read in one pass."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from adapters.inbound.http.server.reply import Header
from domain.errors import DomainError

MAX_APP = 100
"""Characters kept of an application's title or origin, which are stored with every request."""

_IDEMPOTENCY_KEY = re.compile(rb"[ -~]{1,255}")
_PRINTABLE = re.compile(rb"[ -~]+")

_WANTED = frozenset(
    {
        b"authorization",
        b"x-api-key",
        b"content-type",
        b"content-encoding",
        b"content-length",
        b"idempotency-key",
        b"x-title",
        b"x-openrouter-title",
        b"http-referer",
        b"referer",
        b"traceparent",
    }
)


class RequestHeaders(msgspec.Struct, frozen=True):
    """`found` holds the headers that matter here, by lower-case name; of several equal ones the last. `secrets` are the
    API keys that were sent, without repetitions."""

    found: dict[bytes, bytes]
    secrets: tuple[bytes, ...] = ()

    @property
    def secret(self) -> str:
        """From `Authorization: Bearer` or `x-api-key`.

        Raises: DomainError invalid_api_key if there is neither; conflicting_credentials if they differ: a proxy
                may have checked the other one.
        """
        if len(self.secrets) > 1:
            raise DomainError("conflicting_credentials")
        if not self.secrets:
            raise DomainError("invalid_api_key", mistake="none_sent")
        if not self.secrets[0].isascii():
            raise DomainError("invalid_api_key")
        return self.secrets[0].decode()

    @property
    def app(self) -> str:
        """The origin of HTTP-Referer; empty if there is none."""
        return _origin(self.found.get(b"http-referer") or self.found.get(b"referer", b"")).decode()

    @property
    def title(self) -> str:
        """X-OpenRouter-Title or X-Title: free text that may name a person. Empty if there is none."""
        name = self.found.get(b"x-openrouter-title") or self.found.get(b"x-title", b"")
        return name[:MAX_APP].decode() if _PRINTABLE.fullmatch(name) else ""

    @property
    def traceparent(self) -> str:
        """The client's trace, as it was sent; empty if it names none."""
        return self.found.get(b"traceparent", b"").decode("latin-1")

    @property
    def idempotency_key(self) -> str | None:
        key = self.found.get(b"idempotency-key")
        if key is None:
            return None
        if not _IDEMPOTENCY_KEY.fullmatch(key):
            raise DomainError(
                "invalid_request", param="Idempotency-Key", message="Idempotency-Key must be 1 to 255 printable ASCII"
            )
        return key.decode()

    def idempotency(self, method: bytes, path: bytes, body: bytes) -> tuple[str, bytes] | None:
        """The key, and the hash of what it stands for (docs/reference/rules.md#idempotency)."""
        key = self.idempotency_key
        if key is None:
            return None
        return key, hashlib.blake2b(b"%b %b\n%b" % (method, path, body), digest_size=16).digest()

    def check_is_json(self) -> None:
        """Raises: DomainError unsupported_media_type."""
        content_type = self.found.get(b"content-type", b"")
        if (
            content_type != b"application/json"
            and content_type.partition(b";")[0].strip().lower() != b"application/json"
        ):
            raise DomainError("unsupported_media_type")


def read_headers(headers: Iterable[Header]) -> RequestHeaders:
    found: dict[bytes, bytes] = {}
    secrets: dict[bytes, None] = {}
    for name, value in headers:
        if name in _WANTED:
            found[name] = value
            if name in _CREDENTIALS and (secret := _CREDENTIALS[name](value)):
                secrets[secret] = None
    return RequestHeaders(found, tuple(secrets))


def _bearer(value: bytes) -> bytes:
    """Empty for another scheme: its credentials are no API key."""
    scheme, _, credentials = value.partition(b" ")
    return credentials.strip() if scheme.lower() == b"bearer" else b""


_CREDENTIALS: Mapping[bytes, Callable[[bytes], bytes]] = {b"authorization": _bearer, b"x-api-key": bytes.strip}


def _origin(referer: bytes) -> bytes:
    """Scheme, host and port only: path, query, fragment and user info may name a person or hold a password, and the
    origin stored with a request can never be erased. Empty if `referer` has another form."""
    found = _ADDRESS.match(referer)
    origin = b"%b://%b" % (found[1].lower(), found[2].lower()) if found else b""
    return origin if len(origin) <= MAX_APP else b""  # cut short, it would be another origin


_ADDRESS = re.compile(
    rb"([A-Za-z][A-Za-z0-9+.-]{0,20})://"
    rb"(?:[^/?#\\]*@)?"  # user info
    rb"((?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)(?=[/?#]|\Z)"
)
