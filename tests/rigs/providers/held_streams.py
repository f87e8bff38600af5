"""The benchmarks' upstream, but each stream stands still after its first chunk until all are released.

`python -m tests.rigs.providers.held_streams PORT`. GET /_held: how many streams stand still. GET /_release: those go on
to their end, all at once; GET /_release_in_turn: RELEASED_PER_S of them a second. Both tell how many.
"""

import asyncio
import sys

import uvloop

from tests.rigs.providers.upstream import Upstream, serve

HEAD_AND_FIRST_CHUNK = 2
RELEASED_PER_S = 500


class HeldStreams(Upstream):
    held: "set[HeldStreams]" = set()  # noqa: RUF012 - of the process

    def __init__(self) -> None:
        super().__init__(per_write=HEAD_AND_FIRST_CHUNK)
        self.is_released = False

    def answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /_held"):
            self.write_number(len(self.held))
        elif head.startswith(b"get /_release"):
            self.write_number(release(per_s=RELEASED_PER_S if b"in_turn" in head[:40] else 1_000_000))
        else:
            self.is_released = False
            super().answer(head, body)

    def send_stream(self, at: int) -> None:
        if at == HEAD_AND_FIRST_CHUNK and not self.is_released:
            self.held.add(self)
        else:
            super().send_stream(at)

    def go_on(self) -> None:
        self.is_released = True
        self.send_stream(HEAD_AND_FIRST_CHUNK)

    def connection_lost(self, error: Exception | None) -> None:
        self.held.discard(self)

    def write_number(self, number: int) -> None:
        text = b"%d" % number
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text))  # type: ignore[attr-defined]


def release(per_s: int) -> int:
    released = [*HeldStreams.held]
    HeldStreams.held.clear()
    for number, stream in enumerate(released):
        asyncio.get_running_loop().call_later(number / per_s, stream.go_on)
    return len(released)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), HeldStreams))
