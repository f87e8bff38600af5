import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """API processes run on uvloop; their event loop behaves otherwise at the edges (TLS, addresses, closing)."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
