"""application.ports.token_counter.TokenCounter in one thread, so that counting never delays requests."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from adapters.outbound.tokens.vocabulary import Vocabulary
from application.ports.token_counter import CountedText

MAX_WAITING = 64
"""Texts in the thread or waiting for it: at 30 ms each the last one waits two seconds."""

log = structlog.get_logger()


class WorkerCounter:
    """Close it when the process ends."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or Vocabulary()
        self._thread = ThreadPoolExecutor(1, "tokens")
        self._waiting = 0

    async def count(self, read: Callable[[], str]) -> CountedText | None:
        if self._waiting >= MAX_WAITING:
            return None
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._count, read)
        except Exception:
            log.exception("tokens could not be counted: estimated from bytes")
            return None
        finally:
            self._waiting -= 1

    def _count(self, read: Callable[[], str]) -> CountedText:
        text = read()
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        return CountedText(self._vocabulary.count(text), size)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
