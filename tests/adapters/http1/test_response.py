"""A response by itself: what it asks of its connection."""

import asyncio

from adapters.outbound.providers.http1.response import HIGH_WATER_BYTES, Response


async def test_a_connection_that_had_to_wait_reads_again_before_it_is_free() -> None:
    """The last bytes may come after reading was paused: they were on their way."""
    deeds: list[object] = []
    loop = asyncio.get_running_loop()
    response = Response(loop, loop.time() + 60, lambda: deeds.append("free"), deeds.append)
    size = HIGH_WATER_BYTES + 2
    response.feed(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
    response.feed(b"x" * (size - 1))
    assert deeds == [True]
    response.feed(b"x")
    assert deeds == [True, False, "free"]
    assert response.is_reusable
    assert await response.whole(size) == b"x" * size
    assert deeds == [True, False, "free"]
