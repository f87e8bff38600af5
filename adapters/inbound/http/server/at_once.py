"""A message of ASGI's `receive` that is there already: nearly every body comes with its head."""

from collections.abc import Generator

from starlette.types import Message


class AtOnce:
    """To await it takes no turn of the event loop. If the caller knows this type, it needs no timer either."""

    __slots__ = ("message",)

    def __init__(self, message: Message) -> None:
        self.message = message

    def __await__(self) -> Generator[None, None, Message]:
        return self.message
        yield  # makes it a generator
