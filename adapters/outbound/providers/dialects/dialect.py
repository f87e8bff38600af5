"""The protocol of a dialect module."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.failures import ProviderError
from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Answer, Chunk


class ChatReader(Protocol):
    """Reads one stream. `is_done` after the provider's end marker."""

    @property
    def is_done(self) -> bool: ...

    def feed(self, received: bytes) -> Iterator[Chunk]:
        """Chunks completed by `received`; events may be split anywhere. Raises BrokenAnswer."""
        ...

    def end(self) -> Iterator[Chunk]:
        """Remaining chunks when the connection is closed. Raises BrokenAnswer if the answer is incomplete."""
        ...


class Dialect(Protocol):
    @property
    def CHAT_PATH(self) -> str: ...  # noqa: N802 - a module's constant

    def headers(self, api_key: str) -> Mapping[str, str]: ...

    def write_request(self, call: ChatCall, endpoint: Endpoint, *, streaming: bool) -> bytes: ...

    def dropped(self, names: Iterable[str], endpoint: Endpoint) -> tuple[str, ...]:
        """The `names` that `write_request` leaves out, sorted, without those that the gateway answers."""
        ...

    def read_answer(self, body: bytes, call: ChatCall, endpoint: Endpoint) -> Answer:
        """Raises BrokenAnswer."""
        ...

    def read_stream(self, call: ChatCall, endpoint: Endpoint) -> ChatReader: ...

    def stream_of_answer(self, body: bytes, call: ChatCall, endpoint: Endpoint) -> Sequence[Chunk]:
        """The chunks of a whole answer to a request for a stream. Raises BrokenAnswer."""
        ...

    def read_error(self, body: bytes) -> ProviderError:
        """The error in an error body; empty if it is not understood. Never raises."""
        ...
